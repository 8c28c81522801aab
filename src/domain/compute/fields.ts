/** The form of a target as a list of its fields, whatever its kind. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ComputeCreate, ComputeTarget, ComputeUpdate } from './types';

/** The kinds of targets that people make. */
export const TARGET_KINDS = ['ssh', 'slurm', 'pbs', 'lsf', 'gateway'] as const;

/** One of them. */
export type TargetKind = (typeof TARGET_KINDS)[number];

/** What stands beside the place of a target in a request, and not in it. */
const BESIDE: readonly string[] = ['name', 'description', 'max_jobs'];

/** How a field looks that is more than a line of text. */
export type Control =
  'check' | 'choice' | 'hostKey' | 'privateKey' | 'sshTarget' | 'token';

/** A field of the form of a target. */
export interface ITargetField<N extends string = string> {
  /** As the request calls it; a refusal that names it is shown here. */
  name: N;
  label: string;
  help?: string;
  placeholder?: string;
  control?: Control;
  /** Of a choice. */
  choices?: readonly { value: string; label: string }[];
  /** Of a batch system: what it is given jobs with. */
  program?: string;
  /** What it begins with. */
  now?: string;
  /** Of four. */
  columns?: 1 | 2 | 3;
  required?: boolean;
  /** It has a good default. */
  seldom?: boolean;
  /** What is wrong with a text that is not empty; empty where nothing is. */
  problem?: (text: string, texts: Texts) => string;
  /** What is sent for a text; the text itself if it is left out. */
  read?: (text: string) => unknown;
  /** What is sent for a target that is there whose text was emptied; null if it is left out. */
  emptied?: unknown;
  shown?: (texts: Texts) => boolean;
}

/** What is typed into the form, by field. */
export type Texts = Readonly<Record<string, string>>;

/** What stands in a field. */
export function textOf(texts: Texts, name: string): string {
  return (texts[name] ?? '').trim();
}

/** Of which kind a target is that somebody made; null for one that has no form. */
export function kindOf(target: ComputeTarget): TargetKind | null {
  const found = TARGET_KINDS.find(kind => target[kind] !== null);
  return (target.made && found) || null;
}

/** The form as it opens. */
export function startTexts(fields: readonly ITargetField[]): Texts {
  return Object.fromEntries(fields.map(({ name, now }) => [name, now ?? '']));
}

/** The fields that there are while these texts stand in them. */
export function shownFields(
  fields: readonly ITargetField[],
  texts: Texts
): ITargetField[] {
  return fields.filter(({ shown }) => !shown || shown(texts));
}

/**
 * What is wrong, by field; what is empty and must be given is not told before it was tried.
 *
 * @param before - What the form began with: what a target has cannot be taken away from it.
 */
export function findProblems(
  fields: readonly ITargetField[],
  texts: Texts,
  before: Texts,
  trans: TranslationBundle
): Readonly<Record<string, string>> {
  const problems: Record<string, string> = {};
  for (const { name, problem, required } of shownFields(fields, texts)) {
    const text = textOf(texts, name);
    const found = text
      ? problem?.(text, texts)
      : required && before[name]
        ? trans.__('It cannot be left empty.')
        : '';
    if (found) {
      problems[name] = found;
    }
  }
  return problems;
}

/** Whether all is there that must be. */
export function isComplete(
  fields: readonly ITargetField[],
  texts: Texts
): boolean {
  return fields.every(
    ({ name, required }) => !required || textOf(texts, name) !== ''
  );
}

/** What is sent for a new target, of the fields that are shown. */
export function toMake(
  kind: TargetKind,
  fields: readonly ITargetField[],
  texts: Texts
): ComputeCreate {
  const given = fields.filter(({ name }) => textOf(texts, name) !== '');
  const { beside, place } = sorted(given, texts);
  // The names are those of the request: each list of fields is typed by them.
  return { ...beside, [kind]: place } as unknown as ComputeCreate;
}

/** What is sent for a target that is there: of the fields that are shown, only what differs from what the form began with. */
export function toChange(
  kind: TargetKind,
  fields: readonly ITargetField[],
  texts: Texts,
  before: Texts
): ComputeUpdate {
  const changed = fields.filter(
    ({ name }) => textOf(texts, name) !== textOf(before, name)
  );
  const { beside, place } = sorted(changed, texts);
  return { ...beside, ...(Object.keys(place).length > 0 && { [kind]: place }) };
}

function sorted(
  fields: readonly ITargetField[],
  texts: Texts
): Record<'beside' | 'place', Record<string, unknown>> {
  const found = {
    beside: {} as Record<string, unknown>,
    place: {} as Record<string, unknown>
  };
  for (const { name, read, emptied = null } of fields) {
    const text = textOf(texts, name);
    const part = BESIDE.includes(name) ? found.beside : found.place;
    part[name] = text === '' ? emptied : read ? read(text) : text;
  }
  return found;
}

/** The field of the form that a field of a request stands in: "ssh.host_key" is `host_key`; null for none. */
export function fieldOf(
  path: string | undefined,
  kind: TargetKind,
  fields: readonly ITargetField[]
): string | null {
  const parts = (path ?? '').split('.').filter(part => part !== 'body');
  const named = parts[0] === kind ? parts[1] : parts[0];
  // The value of a secret is that of the token that is kept in it.
  const name = named === 'value' ? 'token' : named;
  return fields.find(field => field.name === name)?.name ?? null;
}
