import { RelativeTime, useTrans } from '../../ui';
import { usesText } from './format';
import type { Secret } from './queries';

/** Names, who set them when, and what names them. */
export function SecretTable(props: {
  secrets: readonly Secret[];
  readOnly: boolean;
  onReplace: (secret: Secret) => void;
  onDelete: (secret: Secret) => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <table className="jp-mlws-facts jp-mlws-facts-secrets">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Value set')}</th>
          <th scope="col">{trans.__('Used by')}</th>
          {!props.readOnly && (
            <th scope="col" className="jp-mlws-number">
              {trans.__('Actions')}
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {props.secrets.map(secret => (
          <SecretRow key={secret.name} {...props} secret={secret} />
        ))}
      </tbody>
    </table>
  );
}

function SecretRow(props: {
  secret: Secret;
  readOnly: boolean;
  onReplace: (secret: Secret) => void;
  onDelete: (secret: Secret) => void;
}): JSX.Element {
  const { secret, readOnly, onReplace, onDelete } = props;
  const trans = useTrans();
  return (
    <tr>
      <th scope="row">
        <code className="jp-mlws-ellipsis" title={secret.name}>
          {secret.name}
        </code>
      </th>
      <td>
        {secret.readable ? (
          <RelativeTime
            at={secret.updated_at}
            words={time => trans.__('%1 by %2', time, secret.updated_by)}
          />
        ) : (
          <span className="jp-mlws-secret-lost">
            {trans.__('Its key is gone: set it anew')}
          </span>
        )}
      </td>
      <td>{usesText(secret, trans)}</td>
      {!readOnly && (
        <td className="jp-mlws-number">
          <button
            type="button"
            className="jp-mlws-button jp-mlws-button-small"
            aria-label={trans.__('Replace the value of %1', secret.name)}
            onClick={() => onReplace(secret)}
          >
            {trans.__('Replace…')}
          </button>{' '}
          <button
            type="button"
            className="jp-mlws-button jp-mlws-button-small"
            aria-label={trans.__('Delete %1', secret.name)}
            onClick={() => onDelete(secret)}
          >
            {trans.__('Delete…')}
          </button>
        </td>
      )}
    </tr>
  );
}
