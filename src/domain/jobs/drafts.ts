import type { TranslationBundle } from '@jupyterlab/translation';

import { kindOf, problemText, readText, toText } from '../runs';
import type { ParameterField } from './types';

/** What is typed into the parameters' fields, by name; a name that is missing has its default. */
export type Drafts = Readonly<Record<string, string>>;

/** The text that a field begins with: text bare, anything else as its author wrote it where that reads back, or as JSON. */
export function defaultText(field: ParameterField): string {
  const { default: value, default_source: source } = field;
  if (!field.required_literal || value === null || value === undefined) {
    return '';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  // "1e-3" and "[64, 32]" stay as they were written.
  return typeof value !== 'string' &&
    isSame(readText(source, kindOf(field)).value, value)
    ? source
    : toText(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What stands in an empty field: the expression, where it is no value that can be shown. */
export function placeholder(field: ParameterField): string {
  return defaultText(field) === '' && field.default !== ''
    ? field.default_source
    : '';
}

/** What is in the field now. */
export function currentText(field: ParameterField, drafts: Drafts): string {
  return drafts[field.name] ?? defaultText(field);
}

/** Whether it differs from the default, so that it is sent. */
export function isChanged(field: ParameterField, drafts: Drafts): boolean {
  return currentText(field, drafts) !== defaultText(field);
}

/** Whether a box to tick can show it. */
export function isTick(field: ParameterField): boolean {
  return field.type === 'bool' && typeof field.default === 'boolean';
}

/** What is wrong with a field; undefined when nothing is. */
export function draftProblem(
  field: ParameterField,
  drafts: Drafts,
  trans: TranslationBundle
): string | undefined {
  const kind = kindOf(field);
  return isChanged(field, drafts)
    ? problemText(readText(currentText(field, drafts), kind), kind, trans)
    : undefined;
}

/** The values that differ from their defaults, as JSON; undefined when none does. */
export function changedValues(
  fields: readonly ParameterField[],
  drafts: Drafts
): Record<string, unknown> | undefined {
  const changed = fields.filter(field => isChanged(field, drafts));
  return changed.length
    ? Object.fromEntries(
        changed.map(field => [
          field.name,
          readText(currentText(field, drafts), kindOf(field)).value
        ])
      )
    : undefined;
}
