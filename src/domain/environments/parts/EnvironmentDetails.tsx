import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../../../api/context';
import {
  CopyButton,
  ErrorNotice,
  RelativeTime,
  Skeleton,
  useTrans
} from '../../../ui';
import { buildLabel, definitionNote, definitionText, isBuilt } from '../format';
import { useBuild } from '../mutations';
import { environmentQueries } from '../queries';
import type { EnvironmentVersion } from '../types';
import { BuildLog } from './BuildLog';

export interface IEnvironmentDetailsProps {
  workspace: string;
  name: string;
  onArchive: () => void;
  /** Asks for another definition, beginning with this one. */
  onNewVersion: (from: EnvironmentVersion) => void;
}

/** The versions of an environment: what one says, whether it can be used, and what its build said. */
export function EnvironmentDetails(
  props: IEnvironmentDetailsProps
): JSX.Element {
  const { workspace, name } = props;
  const trans = useTrans();
  const versions = useQuery(
    environmentQueries.versions(useApi(), workspace, name)
  );
  const [chosen, setChosen] = useState<number | null>(null);
  const found = versions.data;
  // Who chose none sees the newest.
  const shown =
    found?.find(({ version }) => version === chosen) ?? found?.at(0);
  if (!shown || !found) {
    return versions.error ? (
      <ErrorNotice
        title={trans.__('The environment could not be read.')}
        error={versions.error}
        onRetry={() => void versions.refetch()}
      />
    ) : (
      <Skeleton count={3} />
    );
  }
  return (
    <div className="jp-mlws-environment-details">
      {found.length > 1 && (
        <select
          className="jp-mlws-input"
          aria-label={trans.__('Version of %1', name)}
          value={shown.version}
          onChange={event => setChosen(Number(event.target.value))}
        >
          {found.map(({ version, build }, index) => (
            <option key={version} value={version}>
              {index === 0
                ? trans.__(
                    'Version %1 (newest) · %2',
                    version,
                    buildLabel(build.status, trans)
                  )
                : trans.__(
                    'Version %1 · %2',
                    version,
                    buildLabel(build.status, trans)
                  )}
            </option>
          ))}
        </select>
      )}
      <VersionView workspace={workspace} version={shown} />
      <Verbs {...props} version={shown} />
    </div>
  );
}

function VersionView(props: {
  workspace: string;
  version: EnvironmentVersion;
}): JSX.Element {
  const { workspace, version } = props;
  const { definition, build } = version;
  const trans = useTrans();
  const note = definitionNote(definition, trans);
  const reference = `${version.name}:${version.version}`;
  return (
    <>
      <div className="jp-mlws-environment-line">
        <code className="jp-mlws-ellipsis" title={reference}>
          {reference}
        </code>
        <CopyButton text={reference} label={trans.__('Copy %1', reference)} />
      </div>
      {build.message && (
        <p className="jp-mlws-muted jp-mlws-environment-text">
          {build.message}
        </p>
      )}
      <pre
        className="jp-mlws-environment-definition"
        aria-label={trans.__('Definition of %1', reference)}
        // Reachable, so that the keyboard can scroll it.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        {definitionText(definition)}
      </pre>
      <p className="jp-mlws-muted jp-mlws-environment-text">
        {note && `${note} · `}
        <RelativeTime
          at={version.created_at}
          words={time => trans.__('%1 by %2', time, version.created_by)}
        />
      </p>
      {isBuilt(build) && build.started_at !== null && (
        <BuildLog
          key={`${version.version} ${build.started_at}`}
          workspace={workspace}
          version={version}
        />
      )}
    </>
  );
}

function Verbs(
  props: IEnvironmentDetailsProps & { version: EnvironmentVersion }
): JSX.Element {
  const { workspace, name, version, onNewVersion, onArchive } = props;
  const { build } = version;
  const trans = useTrans();
  const change = useBuild(workspace, name);
  const verb = build.status === 'Building' ? 'cancel' : 'build';
  return (
    <>
      <div className="jp-mlws-target-verbs">
        {isBuilt(build) && build.status !== 'Ready' && (
          <button
            type="button"
            className={`jp-mlws-button jp-mlws-button-small${verb === 'build' ? ' jp-mlws-button-primary' : ''}`}
            disabled={change.isPending}
            onClick={() => change.mutate({ version: version.version, verb })}
          >
            {verb === 'cancel'
              ? trans.__('Cancel the build')
              : build.status === 'Failed'
                ? trans.__('Build again')
                : trans.__('Build')}
          </button>
        )}
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          onClick={() => onNewVersion(version)}
        >
          {trans.__('New version…')}
        </button>
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          title={trans.__(
            'New jobs cannot name it any more; jobs that have it keep it'
          )}
          onClick={onArchive}
        >
          {trans.__('Archive')}
        </button>
      </div>
      {change.error && <ErrorNotice error={change.error} />}
    </>
  );
}
