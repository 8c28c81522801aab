import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { useApi } from '../../../api/context';
import { ErrorNotice, Skeleton, TextLines, useTrans } from '../../../ui';
import { BuildLogReader } from '../BuildLogReader';
import { environmentId, environmentKeys } from '../queries';
import type { EnvironmentVersion } from '../types';

/** Lines come without hints of their own. */
const EVERY_MS = 1_000;

/** What the last build of a version said, live. */
export function BuildLog(props: {
  workspace: string;
  version: EnvironmentVersion;
}): JSX.Element {
  const { workspace, version } = props;
  const { name, build } = version;
  const trans = useTrans();
  const api = useApi();
  const [follow, setFollow] = useState(true);
  const number = `${version.version}`;
  const reader = useMemo(
    () => new BuildLogReader(api, { workspace, name, version: number }),
    [api, workspace, name, number]
  );
  const log = useQuery({
    queryKey: environmentKeys.detail(
      environmentId(workspace, name),
      'log',
      number,
      build.started_at
    ),
    queryFn: ({ signal }) => reader.catchUp(signal),
    // The reader has the lines, and dies with the view.
    gcTime: 0,
    staleTime: 0,
    structuralSharing: false,
    refetchInterval: ({ state }) => (state.data?.done ? false : EVERY_MS)
  });
  const found = log.data;
  return (
    <>
      {log.error && (
        <ErrorNotice
          title={trans.__('The log could not be loaded.')}
          error={log.error}
          onRetry={() => void log.refetch()}
        />
      )}
      {log.isPending && <Skeleton shape="text" count={3} />}
      {found?.lines.length === 0 && (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {found.done
            ? trans.__('The build said nothing.')
            : trans.__('Nothing is printed yet.')}
        </p>
      )}
      {found !== undefined && found.lines.length > 0 && (
        <div className="jp-mlws-build-log">
          <TextLines
            label={trans.__('Log of the build')}
            lines={found.lines}
            base={found.base}
            wrap
            follow={follow}
            onFollow={setFollow}
          />
        </div>
      )}
    </>
  );
}
