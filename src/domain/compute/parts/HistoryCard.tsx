import { useInfiniteQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { experimentAddress } from '../../../lib/address';
import { formatBytes, formatDuration } from '../../../lib/format';
import {
  ErrorNotice,
  PageLink,
  RelativeTime,
  Skeleton,
  StatusBadge,
  useTrans,
  type RunStatus
} from '../../../ui';
import { endReason, RunLink } from '../../runs';
import { cpuText } from '../format';
import { computeQueries } from '../queries';
import type { EndedJob } from '../types';
import { WideTable } from './WideTable';

/** The jobs that have ended on a target, the last first. */
export function HistoryCard(props: { name: string }): JSX.Element {
  const { name } = props;
  const trans = useTrans();
  const history = useInfiniteQuery(computeQueries.history(useApi(), name));
  const jobs = history.data?.pages.flatMap(page => page.jobs);
  const title = trans.__('History');
  return (
    <section className="jp-mlws-card" aria-label={title}>
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
      </header>
      {history.error && (
        <ErrorNotice
          title={trans.__('The history could not be loaded.')}
          error={history.error}
          onRetry={() => void history.refetch()}
        />
      )}
      {history.isPending && <Skeleton count={4} />}
      {jobs?.length === 0 && (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {trans.__('No job has ended here yet.')}
        </p>
      )}
      {jobs && jobs.length > 0 && <JobTable jobs={jobs} />}
      {history.hasNextPage && (
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          disabled={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          {history.isFetchingNextPage
            ? trans.__('Loading…')
            : trans.__('Earlier jobs')}
        </button>
      )}
    </section>
  );
}

function JobTable(props: { jobs: readonly EndedJob[] }): JSX.Element {
  const trans = useTrans();
  return (
    <WideTable label={trans.__('Ended jobs')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Status')}</th>
          <th scope="col">{trans.__('Run')}</th>
          <th scope="col">{trans.__('Experiment')}</th>
          <th scope="col">{trans.__('User')}</th>
          <th scope="col">{trans.__('Ended')}</th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Waited')}
          </th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Ran')}
          </th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('CPU time')}
          </th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Peak memory')}
          </th>
        </tr>
      </thead>
      <tbody>
        {props.jobs.map(job => (
          <JobRow key={job.run_id} job={job} />
        ))}
      </tbody>
    </WideTable>
  );
}

function JobRow(props: { job: EndedJob }): JSX.Element {
  const { job } = props;
  const trans = useTrans();
  return (
    <tr>
      <td>
        <StatusBadge
          status={job.status as RunStatus}
          reason={endReason(job.reason, trans)}
        />
      </td>
      <td>
        <RunLink run={{ id: job.run_id, name: job.name }} />
      </td>
      <td>
        <PageLink
          address={experimentAddress(job.experiment_id)}
          title={`${job.workspace} / ${job.experiment_name}`}
          className="jp-mlws-ellipsis"
        >
          {job.experiment_name}
        </PageLink>
      </td>
      <td className="jp-mlws-ellipsis" title={job.user}>
        {job.user}
      </td>
      <td>
        <RelativeTime at={job.ended_at} />
      </td>
      <td className="jp-mlws-number">{formatDuration(job.waited_ms)}</td>
      <td className="jp-mlws-number">{formatDuration(job.ran_ms)}</td>
      <td className="jp-mlws-number">{cpuText(job.cpu_time_s)}</td>
      <td className="jp-mlws-number">{formatBytes(job.peak_memory_bytes)}</td>
    </tr>
  );
}
