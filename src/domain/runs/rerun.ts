/** The fields of "Edit and re-run". Pure. */

import {
  kindOf,
  readText,
  toText,
  UNKNOWN,
  type IParameterKind,
  type Reading
} from './parameters';
import type { Job, ParameterField } from './types';

/** A parameter in the form: its name, what it was in the job, and what to say about it. */
export interface IParameterDraft {
  name: string;
  kind: IParameterKind;
  text: string;
  /** Stands in an empty field: the expression that the notebook has there. */
  placeholder: string;
  help: string;
}

/** A parameter with what is typed by now. */
export interface IParameterRow extends IParameterDraft {
  reading: Reading;
  /** Left as it was, also where its default is an expression. */
  untouched: boolean;
  wrong: boolean;
}

/**
 * What each parameter was in the job.
 *
 * @param declared - What the notebook of the job's snapshot declares: that is what runs again. null when it
 * cannot be read; then the run's own record of its parameters stands in.
 */
export function rerunDrafts(
  job: Job,
  declared: readonly ParameterField[] | null
): IParameterDraft[] {
  if (!('notebook' in job.spec)) {
    return [];
  }
  const given: Record<string, unknown> = job.spec.parameters ?? {};
  if (declared) {
    return declared.map(field => declaredDraft(field, given));
  }
  const names = new Set([
    ...Object.keys(given),
    ...Object.keys(job.run.params)
  ]);
  return [...names].map(name => ({
    name,
    kind: UNKNOWN,
    text: Object.hasOwn(given, name)
      ? toText(given[name])
      : (job.run.params[name] ?? ''),
    placeholder: '',
    help: ''
  }));
}

function declaredDraft(
  field: ParameterField,
  given: Readonly<Record<string, unknown>>
): IParameterDraft {
  const { name, type, help, required_literal: literal } = field;
  const isGiven = Object.hasOwn(given, name);
  return {
    name,
    kind: kindOf(field),
    text: isGiven ? toText(given[name]) : literal ? toText(field.default) : '',
    placeholder: isGiven || literal ? '' : field.default_source,
    help: [type, help].filter(Boolean).join(' · ')
  };
}

/** Reads a field. What was not touched is not sent, so it is never wrong. */
export function readRow(
  draft: IParameterDraft,
  typed: string | undefined
): IParameterRow {
  const text = typed ?? draft.text;
  const reading = readText(text, draft.kind);
  const untouched = text === draft.text;
  const wrong = !untouched && reading.problem !== null;
  return { ...draft, text, reading, untouched, wrong };
}

/** The values that are sent: those that were changed; undefined when none was. */
export function changedParameters(
  rows: readonly IParameterRow[]
): Record<string, unknown> | undefined {
  const changed = rows.filter(({ untouched }) => !untouched);
  return changed.length > 0
    ? Object.fromEntries(
        changed.map(({ name, reading }) => [name, reading.value])
      )
    : undefined;
}
