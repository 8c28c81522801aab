import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { Tabs, useTrans, type ITab } from '../../../ui';
import { MetricsTab } from '../../metrics';
import { NotebookTab, type NotebookOrigin } from '../../notebooks';
import { OutputsTab, SnapshotTab } from '../../storage';
import { baseName, hasEnded, isWaiting } from '../format';
import { useRunHost } from '../host';
import { LogsTab } from '../log/LogsTab';
import { OverviewTab } from '../overview/OverviewTab';
import { runQueries } from '../queries';
import type { Job, Run } from '../types';

export interface IRunTabsProps {
  run: Run;
  selected: string;
  onSelect: (tab: string) => void;
  /** The cell to be shown in the Notebook tab. */
  cell: { cell: number } | null;
}

/** The tabs that this kind of run has. */
export function RunTabs(props: IRunTabsProps): JSX.Element {
  const { run, selected, onSelect } = props;
  const trans = useTrans();
  const job = useQuery({
    ...runQueries.job(useApi(), run.id),
    enabled: run.kind !== 'interactive'
  });
  // What the job used is not what its author measured.
  const metrics = Object.keys(run.metrics).filter(
    key => !key.startsWith('system/')
  ).length;
  const tabs: (ITab | false)[] = [
    {
      id: 'overview',
      label: trans.__('Overview'),
      render: () => (
        <OverviewTab
          run={run}
          onShowMetrics={() => onSelect('metrics')}
          onShowLog={() => onSelect('logs')}
        />
      )
    },
    {
      id: 'metrics',
      label: trans.__('Metrics'),
      badge: metrics > 0 ? metrics : undefined,
      render: () => (
        <MetricsTab
          runId={run.id}
          startedAt={run.started_at}
          known={run.metrics}
          ended={hasEnded(run)}
          memoryLimit={job.data?.spec.memory_limit}
        />
      )
    },
    run.kind !== 'interactive' && {
      id: 'logs',
      label: trans.__('Logs'),
      render: () => (
        <LogsTab
          runId={run.id}
          waiting={isWaiting(run)}
          attempts={job.data?.attempts.length}
        />
      )
    },
    hasNotebook(run) && {
      id: 'notebook',
      label: trans.__('Notebook'),
      // Each attempt begins a notebook of its own.
      render: () => (
        <RunNotebook key={job.data?.attempt ?? 1} run={run} cell={props.cell} />
      )
    },
    ...fileTabs(run, job.data, trans)
  ];
  return (
    <Tabs
      label={trans.__('Parts of the run')}
      tabs={tabs.filter(tab => tab !== false)}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

function fileTabs(
  run: Run,
  job: Job | undefined,
  trans: ReturnType<typeof useTrans>
): ITab[] {
  const newFiles = job?.new_files ?? [];
  const notebook = (
    area: 'artifacts' | 'snapshot',
    path: string
  ): JSX.Element => (
    <RunNotebook
      run={run}
      cell={null}
      origin={{ kind: area, runId: run.id, path }}
    />
  );
  return [
    {
      id: 'snapshot',
      label: trans.__('Snapshot'),
      render: () => (
        <SnapshotTab
          runId={run.id}
          captured={run.snapshot_id !== null}
          source={run.source}
          notCaptured={job?.not_captured ?? []}
          notebook={notebook}
        />
      )
    },
    {
      id: 'outputs',
      label: trans.__('Outputs'),
      render: () => (
        <OutputsTab
          runId={run.id}
          ended={hasEnded(run)}
          newFiles={newFiles}
          notebook={notebook}
        />
      )
    }
  ];
}

/** A notebook job always has one; an interactive run has the one it was started in, as a snapshot. */
function hasNotebook(run: Run): boolean {
  return (
    run.kind === 'notebook' ||
    (run.kind === 'interactive' &&
      run.snapshot_id !== null &&
      run.source.endsWith('.ipynb'))
  );
}

function RunNotebook(props: {
  run: Run;
  cell: { cell: number } | null;
  /** The run's own when left out. */
  origin?: NotebookOrigin;
}): JSX.Element {
  const { run, cell } = props;
  const host = useRunHost();
  const own: NotebookOrigin =
    run.kind === 'notebook'
      ? { kind: 'job', runId: run.id }
      : { kind: 'snapshot', runId: run.id, path: baseName(run.source) };
  return (
    <NotebookTab
      origin={props.origin ?? own}
      source={run.source}
      label={run.name}
      View={host.Notebook}
      target={cell}
      onOpenCopy={host.openCopy}
    />
  );
}
