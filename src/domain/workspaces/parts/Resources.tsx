import { refreshIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { formatBytes } from '../../../lib/format';
import {
  CopyButton,
  ErrorNotice,
  IconButton,
  Skeleton,
  StatusIcon,
  useTrans,
  type RunStatus
} from '../../../ui';
import { healthLabel, resourceLabel } from '../format';
import { workspaceQueries, type Resource } from '../queries';

/** What a workspace stands on: where it lies, how large it is, whether it works. */
export function Resources(props: { name: string }): JSX.Element {
  const trans = useTrans();
  const resources = useQuery(workspaceQueries.resources(useApi(), props.name));
  const title = trans.__('Resources');
  return (
    <section className="jp-mlws-card" aria-label={title}>
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        <IconButton
          icon={refreshIcon}
          label={trans.__('Check again')}
          disabled={resources.isFetching}
          onClick={() => void resources.refetch()}
        />
      </header>
      {resources.error && !resources.data ? (
        <ErrorNotice
          title={trans.__('The resources could not be checked.')}
          error={resources.error}
          onRetry={() => void resources.refetch()}
        />
      ) : resources.data ? (
        <ResourceTable resources={resources.data} />
      ) : (
        <Skeleton count={4} />
      )}
    </section>
  );
}

function ResourceTable(props: { resources: readonly Resource[] }): JSX.Element {
  const trans = useTrans();
  return (
    <table className="jp-mlws-facts jp-mlws-facts-resources">
      <thead>
        <tr>
          <th scope="col">{trans.__('Resource')}</th>
          <th scope="col">{trans.__('Health')}</th>
          <th scope="col" className="jp-mlws-number">
            {trans.__('Size')}
          </th>
          <th scope="col">{trans.__('Place')}</th>
        </tr>
      </thead>
      <tbody>
        {props.resources.map(resource => (
          <ResourceRow key={resource.kind} resource={resource} />
        ))}
      </tbody>
    </table>
  );
}

function ResourceRow(props: { resource: Resource }): JSX.Element {
  const { kind, location, bytes, health, detail } = props.resource;
  const trans = useTrans();
  const label = resourceLabel(kind, trans);
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>
        <Health health={health} detail={detail} />
      </td>
      <td className="jp-mlws-number">
        {bytes === null ? '' : formatBytes(bytes)}
      </td>
      <td title={location || detail}>
        <div className="jp-mlws-place">
          {location ? (
            <>
              <code className="jp-mlws-ellipsis">{location}</code>
              <CopyButton
                text={location}
                label={trans.__('Copy the place of: %1', label)}
              />
            </>
          ) : (
            <span className="jp-mlws-muted">{detail}</span>
          )}
        </div>
        {location && detail && (
          <div className="jp-mlws-muted jp-mlws-resource-detail">{detail}</div>
        )}
      </td>
    </tr>
  );
}

const ICONS: Record<Resource['health'], RunStatus> = {
  ok: 'Completed',
  degraded: 'NotResponding',
  absent: 'NotStarted'
};

/** An icon and a word, as of a run's status. */
function Health(props: {
  health: Resource['health'];
  detail: string;
}): JSX.Element {
  const { health, detail } = props;
  const trans = useTrans();
  return (
    <span className="jp-mlws-status" data-status={ICONS[health]} title={detail}>
      <StatusIcon status={ICONS[health]} />
      <span className="jp-mlws-status-word">{healthLabel(health, trans)}</span>
    </span>
  );
}
