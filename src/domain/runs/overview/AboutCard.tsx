import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { useApi } from '../../../api/context';
import { runAddress } from '../../../lib/address';
import { formatBytes, formatDuration, shortId } from '../../../lib/format';
import { CopyButton, PageLink, RelativeTime, useTrans } from '../../../ui';
import { DiffView } from '../../storage';
import { kindLabel } from '../format';
import { useRunHost } from '../host';
import { runQueries } from '../queries';
import type { Environment, Job, Run } from '../types';
import { Card } from './Card';
import { JobFileDetails } from './JobFileDetails';

/** Kinds of jobs that can be written as job files. */
const HAVE_FILES: ReadonlySet<Run['kind']> = new Set(['notebook', 'command']);

/** The run whose snapshot this one was made from, by the server's tag. */
function originOf(run: Run): string | undefined {
  const id = run.tags['mlws.rerun_of'];
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}

/** Who, when, where, and with which code. */
export function AboutCard(props: { run: Run }): JSX.Element {
  const { run } = props;
  const trans = useTrans();
  const host = useRunHost();
  const environment = useQuery(runQueries.environment(useApi(), run.id));
  const job = useQuery({
    ...runQueries.job(useApi(), run.id),
    enabled: run.kind !== 'interactive'
  });
  const captured = environment.data;
  const origin = originOf(run);
  return (
    <Card title={trans.__('About')}>
      <dl className="jp-mlws-about">
        <Fact label={trans.__('Kind')}>{kindLabel(run.kind, trans)}</Fact>
        <Fact label={trans.__('By')}>{run.user}</Fact>
        <Fact label={trans.__('Submitted')}>
          <RelativeTime at={run.created_at} />
        </Fact>
        {run.started_at !== null && (
          <Fact label={trans.__('Started')}>
            <RelativeTime at={run.started_at} />
          </Fact>
        )}
        {run.ended_at !== null && (
          <Fact label={trans.__('Took')}>
            {formatDuration(run.duration_ms)}
          </Fact>
        )}
        {run.source && (
          <Fact label={trans.__('Source')}>
            {run.kind === 'command' ? (
              <code>{run.source}</code>
            ) : (
              <button
                type="button"
                className="jp-mlws-link jp-mlws-ellipsis"
                title={trans.__('Open %1', run.source)}
                onClick={() => host.openFile(run.source)}
              >
                {run.source}
              </button>
            )}
          </Fact>
        )}
        {run.target && <Fact label={trans.__('Target')}>{run.target}</Fact>}
        {job.data && <UsageFacts job={job.data} />}
        {captured && <EnvironmentFacts environment={captured} />}
        {run.parent_id && (
          <Fact label={trans.__('Part of')}>
            <PageLink address={runAddress(run.parent_id)} title={run.parent_id}>
              {shortId(run.parent_id)}
            </PageLink>
          </Fact>
        )}
        {origin && (
          <Fact label={trans.__('Re-run of')}>
            <PageLink address={runAddress(origin)} title={origin}>
              {shortId(origin)}
            </PageLink>
          </Fact>
        )}
        <Fact label={trans.__('Id')}>
          <code title={run.id}>{shortId(run.id)}</code>
          <CopyButton text={run.id} label={trans.__('Copy run id')} />
        </Fact>
      </dl>
      {captured?.git && <GitState git={captured.git} />}
      {HAVE_FILES.has(run.kind) && <JobFileDetails runId={run.id} />}
    </Card>
  );
}

function Fact(props: { label: string; children: ReactNode }): JSX.Element {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** What the job used, and what it may. */
function UsageFacts({ job }: { job: Job }): JSX.Element {
  const trans = useTrans();
  const limit = job.spec.memory_limit;
  const peak = job.usage?.peak_memory_bytes ?? null;
  const cpu = job.usage?.cpu_time_s ?? null;
  return (
    <>
      {peak !== null ? (
        <Fact label={trans.__('Memory')}>
          {limit
            ? trans.__('peak %1 of %2', formatBytes(peak), formatBytes(limit))
            : trans.__('peak %1', formatBytes(peak))}
        </Fact>
      ) : (
        limit !== undefined && (
          <Fact label={trans.__('Memory')}>
            {trans.__('limit %1', formatBytes(limit))}
          </Fact>
        )
      )}
      {cpu !== null && (
        <Fact label={trans.__('CPU time')}>{formatDuration(cpu * 1000)}</Fact>
      )}
    </>
  );
}

function EnvironmentFacts(props: { environment: Environment }): JSX.Element {
  const trans = useTrans();
  const {
    kernel_display_name: display,
    kernel_name: kernel,
    language,
    language_version: version,
    executable,
    platform,
    environment
  } = props.environment;
  return (
    <>
      {environment && (
        <Fact label={trans.__('Environment')}>{environment}</Fact>
      )}
      {(display ?? kernel) && (
        <Fact label={trans.__('Kernel')}>{display ?? kernel}</Fact>
      )}
      {language && (
        <Fact label={trans.__('Language')}>
          <span title={executable ?? undefined}>
            {`${language} ${version ?? ''}`}
          </span>
        </Fact>
      )}
      {platform && <Fact label={trans.__('Platform')}>{platform}</Fact>}
    </>
  );
}

/** Commit and branch, and what was changed beside them. */
function GitState(props: {
  git: NonNullable<Environment['git']>;
}): JSX.Element {
  const { commit, branch, dirty, patch, remote } = props.git;
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  return (
    <div className="jp-mlws-git">
      <span className="jp-mlws-muted">{trans.__('Git')}</span>
      <code title={commit ?? undefined}>{shortId(commit ?? '')}</code>
      {commit && <CopyButton text={commit} label={trans.__('Copy commit')} />}
      {branch && (
        <span className="jp-mlws-ellipsis" title={remote ?? branch}>
          {branch}
        </span>
      )}
      {dirty && !patch && <span>{trans.__('with changes')}</span>}
      {patch && (
        <button
          type="button"
          className="jp-mlws-link"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? trans.__('Hide changes') : trans.__('with changes')}
        </button>
      )}
      {open && patch && (
        <div className="jp-mlws-git-patch">
          <DiffView
            label={trans.__('Changes beside the commit')}
            unified={patch}
          />
        </div>
      )}
    </div>
  );
}
