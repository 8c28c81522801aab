import { CopyButton, useTrans } from '../../../ui';
import type { Run, RunIO } from '../types';
import { Card } from './Card';

/** What a run read and what it made, as far as it said so. */
export function DataCard(props: { run: Run }): JSX.Element | null {
  const { inputs, outputs } = props.run;
  const trans = useTrans();
  if (inputs.length + outputs.length === 0) {
    return null;
  }
  return (
    <Card title={trans.__('Data')}>
      <List title={trans.__('Inputs')} entries={inputs} />
      <List title={trans.__('Outputs')} entries={outputs} />
    </Card>
  );
}

function List(props: {
  title: string;
  entries: readonly RunIO[];
}): JSX.Element | null {
  const { title, entries } = props;
  const trans = useTrans();
  return entries.length === 0 ? null : (
    <>
      <h4>{title}</h4>
      <table className="jp-mlws-facts">
        <tbody>
          {entries.map(({ name, type, uri }) => (
            <tr key={name}>
              <th scope="row" title={name}>
                {name}
              </th>
              <td title={uri}>
                <code>{uri ?? type}</code>
              </td>
              <td className="jp-mlws-facts-action">
                {uri && (
                  <CopyButton text={uri} label={trans.__('Copy %1', name)} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
