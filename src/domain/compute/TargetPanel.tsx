import { useQuery } from '@tanstack/react-query';

import { useApi, useLost } from '../../api/context';
import {
  EmptyState,
  ErrorNotice,
  Skeleton,
  StaleNotice,
  useTrans
} from '../../ui';
import { AboutCard } from './parts/AboutCard';
import { HistoryCard } from './parts/HistoryCard';
import { LoadCard } from './parts/LoadCard';
import { TargetHeader } from './parts/TargetHeader';
import { TargetJobs } from './parts/TargetJobs';
import { TestCard } from './parts/TestCard';
import { UsageCard } from './parts/UsageCard';
import { computeQueries } from './queries';
import type { ComputeTarget } from './types';

export interface ITargetPanelProps {
  /** Name of the target. */
  name: string;
  /** Takes the page away. */
  onClose: () => void;
}

/** The page of a compute target: what it is, what runs and waits there, what ran, and who has used it. */
export function TargetPanel(props: ITargetPanelProps): JSX.Element {
  const { name, onClose } = props;
  const trans = useTrans();
  const lost = useLost();
  const targets = useQuery(computeQueries.targets(useApi()));
  const target = targets.data?.find(one => one.name === name);
  const retry = (): void => void targets.refetch();
  if (targets.data && !target) {
    return (
      <EmptyState
        text={trans.__(
          'There is no compute target %1: it was deleted, or the address is wrong.',
          name
        )}
        action={{ label: trans.__('Close this page'), onClick: onClose }}
      />
    );
  }
  if (!target) {
    return targets.error ? (
      <ErrorNotice
        title={trans.__('The compute target could not be loaded.')}
        error={targets.error}
        onRetry={retry}
      />
    ) : (
      <div className="jp-mlws-target-page">
        <Skeleton shape="block" height={48} />
        <Skeleton count={8} />
      </div>
    );
  }
  return (
    <section
      className="jp-mlws-target-page"
      aria-label={trans.__('Compute target %1', name)}
    >
      <TargetHeader target={target} onDeleted={onClose} />
      <StaleNotice
        lost={lost}
        error={targets.error}
        at={targets.dataUpdatedAt}
        onRetry={retry}
      />
      <Body target={target} answeredAt={targets.dataUpdatedAt} />
    </section>
  );
}

function Body(props: {
  target: ComputeTarget;
  answeredAt: number;
}): JSX.Element {
  const { target, answeredAt } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-target-body">
      <div className="jp-mlws-cards">
        <div className="jp-mlws-stack">
          <LoadCard target={target} />
          <AboutCard target={target} />
        </div>
        <div className="jp-mlws-stack">
          <section
            className="jp-mlws-card jp-mlws-target-jobs"
            aria-label={trans.__('Running and waiting jobs')}
          >
            <TargetJobs target={target} answeredAt={answeredAt} />
          </section>
          {target.made && <TestCard target={target} />}
        </div>
      </div>
      <div className="jp-mlws-target-wide">
        <UsageCard name={target.name} />
        <HistoryCard name={target.name} />
      </div>
    </div>
  );
}
