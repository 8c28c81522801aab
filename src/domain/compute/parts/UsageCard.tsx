import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../../api/context';
import { formatBytes, formatDuration } from '../../../lib/format';
import { ErrorNotice, Skeleton, useTrans } from '../../../ui';
import { byMeasure, cpuText, shareOf, type Measure } from '../format';
import { computeQueries } from '../queries';
import type { ComputeUsage, Span, UserUse } from '../types';
import { WideTable } from './WideTable';

/** Who has used a target, and how much: a table with a bar for each user. */
export function UsageCard(props: { name: string }): JSX.Element {
  const { name } = props;
  const trans = useTrans();
  const [span, setSpan] = useState<Span>('7d');
  const [measure, setMeasure] = useState<Measure>('ran_ms');
  const usage = useQuery(computeQueries.usage(useApi(), name, span));
  const title = trans.__('Usage by user');
  return (
    <section
      className="jp-mlws-card"
      aria-label={title}
      aria-busy={usage.isFetching}
    >
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        <SpanPicker span={span} onSpan={setSpan} />
      </header>
      {usage.error && (
        <ErrorNotice
          title={trans.__('The usage could not be loaded.')}
          error={usage.error}
          onRetry={() => void usage.refetch()}
        />
      )}
      {usage.isPending && <Skeleton count={3} />}
      {usage.data?.users.length === 0 && (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {trans.__('No job has ended here in this time.')}
        </p>
      )}
      {usage.data && usage.data.users.length > 0 && (
        <UserTable
          usage={usage.data}
          measure={measure}
          onMeasure={setMeasure}
        />
      )}
    </section>
  );
}

function SpanPicker(props: {
  span: Span;
  onSpan: (span: Span) => void;
}): JSX.Element {
  const trans = useTrans();
  const words: Record<Span, string> = {
    '24h': trans.__('Last 24 hours'),
    '7d': trans.__('Last 7 days'),
    '30d': trans.__('Last 30 days'),
    all: trans.__('All time')
  };
  return (
    <select
      className="jp-mlws-input jp-mlws-span"
      aria-label={trans.__('Time')}
      title={trans.__('Jobs that have ended in it count with all they used')}
      value={props.span}
      onChange={event => props.onSpan(event.target.value as Span)}
    >
      {Object.entries(words).map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

function UserTable(props: {
  usage: ComputeUsage;
  measure: Measure;
  onMeasure: (measure: Measure) => void;
}): JSX.Element {
  const { usage, measure, onMeasure } = props;
  const { total } = usage;
  const trans = useTrans();
  const users = byMeasure(usage.users, measure);
  const heads: [Measure, string][] = [
    ['jobs', trans.__('Jobs')],
    ['ran_ms', trans.__('Run time')],
    ['cpu_time_s', trans.__('CPU time')],
    ['peak_memory_bytes', trans.__('Peak memory')]
  ];
  return (
    <WideTable label={trans.__('Users')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('User')}</th>
          {heads.map(([one, label]) => (
            <th
              key={one}
              scope="col"
              className="jp-mlws-number"
              aria-sort={one === measure ? 'descending' : undefined}
            >
              <button
                type="button"
                className="jp-mlws-text-button"
                title={trans.__('Order and bars by this')}
                onClick={() => onMeasure(one)}
              >
                {label}
                {one === measure && <span aria-hidden="true"> ▾</span>}
              </button>
            </th>
          ))}
          <th scope="col" className="jp-mlws-bar-cell">
            <span className="jp-mlws-sr-only">{trans.__('Bar')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {users.map(use => (
          <UserRow
            key={use.user}
            use={use}
            share={shareOf(use, users, measure)}
          />
        ))}
      </tbody>
      {users.length > 1 && (
        <tfoot>
          <tr>
            <th scope="row">
              {usage.more_users > 0
                ? trans._n(
                    'All, and %1 user more',
                    'All, and %1 users more',
                    usage.more_users
                  )
                : trans.__('All')}
            </th>
            <Numbers use={total} />
            <td />
          </tr>
        </tfoot>
      )}
    </WideTable>
  );
}

function Numbers(props: { use: ComputeUsage['total'] }): JSX.Element {
  const { use } = props;
  return (
    <>
      <td className="jp-mlws-number">{use.jobs}</td>
      <td className="jp-mlws-number">{formatDuration(use.ran_ms)}</td>
      <td className="jp-mlws-number">{cpuText(use.cpu_time_s)}</td>
      <td className="jp-mlws-number">{formatBytes(use.peak_memory_bytes)}</td>
    </>
  );
}

function UserRow(props: { use: UserUse; share: number }): JSX.Element {
  const { use, share } = props;
  return (
    <tr>
      <th scope="row" className="jp-mlws-ellipsis" title={use.user}>
        {use.user}
      </th>
      <Numbers use={use} />
      <td className="jp-mlws-bar-cell" aria-hidden="true">
        <span className="jp-mlws-bar" style={{ width: `${share * 100}%` }} />
      </td>
    </tr>
  );
}
