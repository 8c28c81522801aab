import { useTrans } from '../../../ui';

/** Says why kernels of this server do not log here by themselves; nothing where they do. */
export function UntrackedNotice(props: {
  /** `gateway`, `socket`, or nothing. */
  reason: string;
}): JSX.Element | null {
  const trans = useTrans();
  if (!props.reason) {
    return null;
  }
  return (
    <details className="jp-mlws-sidebar-note">
      <summary>{trans.__('Kernels do not find this workspace')}</summary>
      <p>
        {props.reason === 'gateway'
          ? trans.__('They run behind a gateway, so nothing is set in them.')
          : trans.__(
              'This server listens on a socket, which has no address for them.'
            )}{' '}
        {trans.__(
          'Where they can reach a server of this workspace, set MLWS_URL and MLWS_TOKEN for them, or for MLflow MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN. Jobs are tracked as ever.'
        )}
      </p>
    </details>
  );
}
