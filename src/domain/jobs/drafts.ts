import type { TranslationBundle } from '@jupyterlab/translation';

import { kindOf, problemText, readText, toText } from './parameters';
import type { IFormParameter } from './types';

/** What is typed into the parameters' fields, by name; a name that is missing is as it was. */
export type Drafts = Readonly<Record<string, string>>;

/** The text that a field begins with: what the job had that is run again, else the default. */
export function startText(field: IFormParameter): string {
  return field.had ? written(field.had.value) : defaultText(field);
}

/** The default: text bare, anything else as its author wrote it where that reads back, or as JSON. */
export function defaultText(field: IFormParameter): string {
  const { default: value, default_source: source } = field;
  if (!field.required_literal || value === null || value === undefined) {
    return '';
  }
  // "1e-3" and "[64, 32]" stay as they were written.
  return typeof value !== 'string' &&
    typeof value !== 'boolean' &&
    isSame(readText(source, kindOf(field)).value, value)
    ? source
    : written(value);
}

function written(value: unknown): string {
  switch (value) {
    case true:
      return 'True';
    case false:
      return 'False';
    case null:
      return 'None';
    default:
      return toText(value);
  }
}

/** Whether two JSON values are the same. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What stands in an empty field: the expression, where it is no value that can be shown. */
export function placeholder(field: IFormParameter): string {
  return !field.had && defaultText(field) === '' && field.default !== ''
    ? field.default_source
    : '';
}

/** What is in the field now. */
export function currentText(field: IFormParameter, drafts: Drafts): string {
  return drafts[field.name] ?? startText(field);
}

/** Whether it differs from what it was, so that it is sent. */
export function isChanged(field: IFormParameter, drafts: Drafts): boolean {
  return currentText(field, drafts) !== startText(field);
}

/** Whether a box to tick can show it. */
export function isTick(field: IFormParameter): boolean {
  return (
    field.type === 'bool' &&
    typeof (field.had ? field.had.value : field.default) === 'boolean'
  );
}

/** What is wrong with a field; undefined when nothing is. */
export function draftProblem(
  field: IFormParameter,
  drafts: Drafts,
  trans: TranslationBundle
): string | undefined {
  const kind = kindOf(field);
  return isChanged(field, drafts)
    ? problemText(readText(currentText(field, drafts), kind), kind, trans)
    : undefined;
}

/** The values that differ from what they were, as JSON; undefined when none does. */
export function changedValues(
  fields: readonly IFormParameter[],
  drafts: Drafts
): Record<string, never> | undefined {
  const changed = fields.filter(field => isChanged(field, drafts));
  return changed.length
    ? Object.fromEntries(
        changed.map(field => [
          field.name,
          // The wire's type for "any JSON" allows no value at all.
          readText(currentText(field, drafts), kindOf(field)).value as never
        ])
      )
    : undefined;
}
