import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { unwrap } from '../../api/client';
import { useApi, useUrl } from '../../api/context';
import { EmptyState, ErrorNotice, Skeleton, useTrans } from '../../ui';
import { FileBrowser } from './FileBrowser';
import type { NotebookRenderer } from './FilePreview';
import { fileKeys, fileQueries, zipUrl } from './queries';

export interface IOutputsTabProps {
  runId: string;
  /** Nothing more will come. */
  ended: boolean;
  /** Files made outside of `outputs/`. */
  newFiles: readonly string[];
  notebook: NotebookRenderer;
}

/** The files a run made. */
export function OutputsTab(props: IOutputsTabProps): JSX.Element {
  const { runId, ended, newFiles } = props;
  const trans = useTrans();
  const url = useUrl();
  const top = useQuery(fileQueries.list(useApi(), runId, 'artifacts', ''));
  if (top.error) {
    return (
      <ErrorNotice
        title={trans.__('The outputs could not be listed.')}
        error={top.error}
        onRetry={() => void top.refetch()}
      />
    );
  }
  if (!top.data) {
    return <Skeleton count={6} />;
  }
  const empty = top.data.entries.length === 0;
  return (
    <div className="jp-mlws-column">
      <NewFiles runId={runId} paths={newFiles} />
      {empty ? (
        <EmptyState
          text={
            ended
              ? trans.__(
                  'This run kept no files. Whatever a job writes to outputs/ is kept.'
                )
              : trans.__(
                  'Whatever the job writes to outputs/ is kept, and appears here.'
                )
          }
          code="mlws.log_artifact('model.pkl')"
        />
      ) : (
        <FileBrowser
          label={trans.__('Files of this run')}
          runId={runId}
          area="artifacts"
          open="outputs"
          notebook={props.notebook}
          head={
            <a
              className="jp-mlws-button"
              href={zipUrl(url, runId, '')}
              download
              title={trans.__('Download all files of this run as a zip')}
            >
              {trans.__('Download all')}
            </a>
          }
        />
      )}
    </div>
  );
}

/** Files that the job left outside of `outputs/`: kept only when somebody asks. */
function NewFiles(props: {
  runId: string;
  paths: readonly string[];
}): JSX.Element | null {
  const { runId, paths } = props;
  const trans = useTrans();
  const api = useApi();
  const client = useQueryClient();
  const keep = useMutation({
    mutationFn: (path: string) =>
      unwrap(
        api.POST('/jobs/{run_id}/keep', {
          params: { path: { run_id: runId } },
          body: { path }
        })
      ),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: fileKeys.detail(runId) }),
        client.invalidateQueries({ queryKey: ['run', 'detail', runId] })
      ])
  });
  if (paths.length === 0) {
    return null;
  }
  return (
    <details className="jp-mlws-details" open={paths.length <= 5}>
      <summary>
        {trans._n(
          '%1 new file outside of outputs/',
          '%1 new files outside of outputs/',
          paths.length
        )}
      </summary>
      <p className="jp-mlws-hint">
        {trans.__(
          'These files go away with the job’s folder unless you keep them.'
        )}
      </p>
      {keep.error && <ErrorNotice error={keep.error} />}
      <ul className="jp-mlws-plain-list">
        {paths.map(path => (
          <li key={path} className="jp-mlws-line">
            <code className="jp-mlws-ellipsis" title={path}>
              {path}
            </code>
            <button
              type="button"
              className="jp-mlws-button"
              aria-label={trans.__('Keep %1', path)}
              disabled={keep.isPending}
              onClick={() => keep.mutate(path)}
            >
              {trans.__('Keep')}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
