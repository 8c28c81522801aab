import type { TranslationBundle } from '@jupyterlab/translation';

import { ApiError } from '../../api/errors';
import type { RunStatus } from '../../ui';
import type {
  BuildStatus,
  Definition,
  EnvironmentBuild,
  EnvironmentCreate,
  EnvironmentVersion
} from './types';

/** How far a build is, in words. */
export function buildLabel(
  status: BuildStatus,
  trans: TranslationBundle
): string {
  const labels: Record<BuildStatus, string> = {
    NotBuilt: trans.__('Not built'),
    Building: trans.__('Building'),
    Ready: trans.__('Ready'),
    Failed: trans.__('Failed')
  };
  return labels[status];
}

/** The run's status that has the same icon and colour. */
export const BUILD_ICONS: Readonly<Record<BuildStatus, RunStatus>> = {
  NotBuilt: 'NotStarted',
  Building: 'Running',
  Ready: 'Completed',
  Failed: 'Failed'
};

/** What an environment is, in a word or two. */
export function kindLabel(
  kind: Definition['kind'],
  trans: TranslationBundle
): string {
  const labels: Record<Definition['kind'], string> = {
    requirements: trans.__('requirements'),
    conda: trans.__('conda'),
    python: trans.__('interpreter'),
    kernel: trans.__('kernel')
  };
  return labels[kind];
}

/** What a definition says: the text of a file, a path, or the name of a kernel. */
export function definitionText(definition: Definition): string {
  switch (definition.kind) {
    case 'requirements':
      return definition.requirements;
    case 'conda':
      return definition.conda_file;
    case 'python':
      return definition.python;
    case 'kernel':
      return definition.kernel;
  }
}

/** What a definition says beside its text; empty where there is nothing to say. */
export function definitionNote(
  definition: Definition,
  trans: TranslationBundle
): string {
  const python =
    definition.kind === 'requirements' && definition.python
      ? trans.__('Python %1', definition.python)
      : '';
  const bare =
    'notebooks' in definition && definition.notebooks === false
      ? trans.__('without ipykernel')
      : '';
  return [python, bare].filter(Boolean).join(', ');
}

/** Whether something can be built of it: kernels and interpreters are there, or they are not. */
export function isBuilt({ hash }: Pick<EnvironmentBuild, 'hash'>): boolean {
  return hash !== null;
}

/** What a job that names it now would wait for. */
export function waitText(
  { status, message, hash }: EnvironmentBuild,
  trans: TranslationBundle
): string {
  switch (status) {
    case 'Ready':
      return trans.__('Ready.');
    case 'Building':
      return trans.__('It is being built: the job waits for it.');
    case 'NotBuilt':
      return trans.__('It is built before the job begins.');
    case 'Failed':
      return hash === null
        ? message
        : trans.__('It is built again. %1', message);
  }
}

/** What is typed into the form of an environment. */
export interface IEnvironmentDraft {
  name: string;
  kind: Definition['kind'];
  requirements: string;
  condaFile: string;
  /** Version or path of the interpreter that the packages are installed for. */
  python: string;
  /** Path of an interpreter that is there already. */
  interpreter: string;
  kernel: string;
  notebooks: boolean;
  build: boolean;
}

/** A field of the form that can be wrong. */
export type EnvironmentField =
  'name' | 'requirements' | 'conda_file' | 'python' | 'kernel';

/** The form as it opens: empty, or with what a version says. */
export function startDraft(from: EnvironmentVersion | null): IEnvironmentDraft {
  const draft: IEnvironmentDraft = {
    name: from?.name ?? '',
    kind: from?.definition.kind ?? 'requirements',
    requirements: '',
    condaFile: '',
    python: '',
    interpreter: '',
    kernel: '',
    notebooks: true,
    build: true
  };
  const definition = from?.definition;
  switch (definition?.kind) {
    case 'requirements':
      draft.requirements = definition.requirements;
      draft.python = definition.python ?? '';
      draft.notebooks = definition.notebooks ?? true;
      break;
    case 'conda':
      draft.condaFile = definition.conda_file;
      draft.notebooks = definition.notebooks ?? true;
      break;
    case 'python':
      draft.interpreter = definition.python;
      break;
    case 'kernel':
      draft.kernel = definition.kernel;
      break;
    case undefined:
  }
  return draft;
}

function definitionOf(draft: IEnvironmentDraft): Definition {
  const bare = draft.notebooks ? {} : { notebooks: false };
  switch (draft.kind) {
    case 'requirements':
      return {
        kind: 'requirements',
        requirements: draft.requirements,
        ...(draft.python.trim() && { python: draft.python.trim() }),
        ...bare
      };
    case 'conda':
      return { kind: 'conda', conda_file: draft.condaFile, ...bare };
    case 'python':
      return { kind: 'python', python: draft.interpreter.trim() };
    case 'kernel':
      return { kind: 'kernel', kernel: draft.kernel };
  }
}

/** What is sent. */
export function buildCreate(draft: IEnvironmentDraft): EnvironmentCreate {
  return { name: draft.name.trim(), definition: definitionOf(draft) };
}

/** As the server's rule has it. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?$/;

/** What is wrong with a name; undefined while there is none. */
export function nameProblem(
  name: string,
  trans: TranslationBundle
): string | undefined {
  return name.trim() === '' || NAME.test(name.trim())
    ? undefined
    : trans.__(
        'Letters, digits, “_”, “-” and “.”, at most 100; it begins with a letter or digit, and ends with no “-” or “.”.'
      );
}

/** Whether all is there that the server needs. */
export function isWhole(draft: IEnvironmentDraft): boolean {
  return (
    NAME.test(draft.name.trim()) &&
    definitionText(definitionOf(draft)).trim() !== ''
  );
}

const FIELDS: readonly string[] = [
  'name',
  'requirements',
  'conda_file',
  'python',
  'kernel'
] satisfies EnvironmentField[];

/** Where in the form an answer's error belongs; null when it is about none of its fields. */
export function placeOf(error: unknown): EnvironmentField | null {
  const field =
    error instanceof ApiError
      ? (error.field ?? '').replace(/^definition\./, '')
      : '';
  return FIELDS.includes(field) ? (field as EnvironmentField) : null;
}
