import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../../api/context';
import { CopyButton, ErrorNotice, Skeleton, useTrans } from '../../../ui';
import { runQueries } from '../queries';

/** The job as the server writes it into a job file: asked for once somebody wants to see it. */
export function JobFileDetails(props: { runId: string }): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({
    ...runQueries.jobFile(useApi(), props.runId),
    enabled: open
  });
  return (
    <details
      className="jp-mlws-more-options"
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Show as YAML')}</summary>
      {error && <ErrorNotice error={error} />}
      {open && !data && !error && <Skeleton count={4} />}
      {data && (
        <div className="jp-mlws-job-file">
          <div className="jp-mlws-job-file-head">
            <span>{trans.__('As a job file:')}</span>
            <CopyButton
              withWord
              text={data.text}
              label={trans.__('Copy the YAML')}
            />
          </div>
          <pre
            aria-label={trans.__('Job file')}
            // Reachable, so that the keyboard can scroll it.
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            tabIndex={0}
          >
            {data.text}
          </pre>
        </div>
      )}
    </details>
  );
}
