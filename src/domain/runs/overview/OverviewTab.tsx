import type { Run } from '../types';
import { AboutCard } from './AboutCard';
import { AttemptsCard } from './AttemptsCard';
import { ChildrenCard } from './ChildrenCard';
import { DataCard } from './DataCard';
import { EnvironmentCard } from './EnvironmentCard';
import { HistoryCard } from './HistoryCard';
import { MetricsCard } from './MetricsCard';
import { NoteCard } from './NoteCard';
import { ParamsCard } from './ParamsCard';
import { TagsCard } from './TagsCard';

/** What a person wants to know of a run at one look. */
export function OverviewTab(props: {
  run: Run;
  onShowMetrics: () => void;
  onShowLog: () => void;
}): JSX.Element {
  const { run, onShowMetrics, onShowLog } = props;
  return (
    <div className="jp-mlws-cards">
      <div className="jp-mlws-stack">
        <ParamsCard run={run} />
        <NoteCard run={run} />
        <TagsCard run={run} />
      </div>
      <div className="jp-mlws-stack">
        <AttemptsCard run={run} onShowLog={onShowLog} />
        <MetricsCard run={run} onShowAll={onShowMetrics} />
        <DataCard run={run} />
        <ChildrenCard run={run} />
        <HistoryCard runId={run.id} />
      </div>
      <div className="jp-mlws-stack">
        <AboutCard run={run} />
        <EnvironmentCard runId={run.id} />
      </div>
    </div>
  );
}
