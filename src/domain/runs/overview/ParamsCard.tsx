import { shortId } from '../../../lib/format';
import { CopyButton, CsvButton, useTrans } from '../../../ui';
import type { Run } from '../types';
import { Card } from './Card';

/** The parameters a run had. */
export function ParamsCard(props: { run: Run }): JSX.Element {
  const trans = useTrans();
  const { run } = props;
  const entries = Object.entries(run.params);
  return (
    <Card
      title={trans.__('Parameters')}
      actions={
        entries.length > 0 && (
          <>
            <CsvButton
              label={trans.__('Download the parameters as CSV')}
              file={`parameters-${shortId(run.id)}.csv`}
              columns={['name', 'value']}
              rows={() => entries}
            />
            <CopyButton
              label={trans.__('Copy parameters as JSON')}
              text={() => JSON.stringify(run.params, null, 2)}
            />
          </>
        )
      }
    >
      {entries.length === 0 ? (
        <p className="jp-mlws-hint">
          {trans.__(
            'No parameters. A notebook’s come from its cell with the tag “parameters”.'
          )}
        </p>
      ) : (
        <table className="jp-mlws-facts">
          <tbody>
            {entries.map(([name, value]) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                <td title={value}>
                  <code>{value}</code>
                </td>
                <td className="jp-mlws-facts-action">
                  <CopyButton text={value} label={trans.__('Copy %1', name)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
