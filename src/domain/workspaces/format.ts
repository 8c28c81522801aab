import type { TranslationBundle } from '@jupyterlab/translation';

import { formatBytes } from '../../lib/format';
import type { components } from '../../api/schema';
import type { Resource, Workspace } from './queries';

type Deletion = components['schemas']['WorkspaceDeletion'];

/** The label of a workspace where it says more than the name; else nothing. */
export function extraLabel(workspace: {
  name: string;
  display_name: string;
}): string {
  const { name, display_name: label } = workspace;
  return label && label.toLowerCase() !== name.toLowerCase() ? label : '';
}

/** What a workspace holds, as words. */
export function contentsText(
  workspace: Pick<Workspace, 'experiments' | 'runs'>,
  trans: TranslationBundle
): string {
  const { experiments, runs } = workspace;
  return trans.__(
    '%1 · %2',
    trans._n('%1 experiment', '%1 experiments', experiments),
    trans._n('%1 run', '%1 runs', runs)
  );
}

/** What goes with a workspace, and what that frees. */
export function deletionText(plan: Deletion, trans: TranslationBundle): string {
  return trans.__(
    'The workspace “%1” goes with %2, %3 and %4. %5 become free. Nothing brings it back.',
    plan.workspace,
    trans._n('%1 experiment', '%1 experiments', plan.experiments),
    trans._n('%1 run', '%1 runs', plan.runs),
    trans._n('%1 file', '%1 files', plan.artifacts),
    formatBytes(plan.bytes_freed)
  );
}

/** Whether there is anything in it to be lost. */
export function holdsSomething(
  plan: Pick<Deletion, 'experiments' | 'runs' | 'artifacts'>
): boolean {
  return plan.experiments + plan.runs + plan.artifacts > 0;
}

/** What a resource is. */
export function resourceLabel(
  kind: Resource['kind'],
  trans: TranslationBundle
): string {
  const labels: Record<Resource['kind'], string> = {
    database: trans.__('Database'),
    artifact_store: trans.__('Artifact store'),
    jobs_folder: trans.__('Folder of the jobs'),
    secret_store: trans.__('Secret store')
  };
  return labels[kind];
}

/** How a resource is doing. */
export function healthLabel(
  health: Resource['health'],
  trans: TranslationBundle
): string {
  const labels: Record<Resource['health'], string> = {
    ok: trans.__('Healthy'),
    degraded: trans.__('In trouble'),
    absent: trans.__('Not set up')
  };
  return labels[health];
}
