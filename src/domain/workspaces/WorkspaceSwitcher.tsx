import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { useApi } from '../../api/context';
import { useTrans } from '../../ui';
import { NewWorkspaceForm } from './NewWorkspaceForm';
import { workspaceQueries } from './queries';
import { useWorkspace } from './useWorkspace';

/** No workspace's name has a space. */
const CREATE = ' create';

/** Chooses the workspace that is looked at; its last entry makes a new one, in place. */
export function WorkspaceSwitcher(): JSX.Element {
  const trans = useTrans();
  const [current, setCurrent] = useWorkspace();
  const [creating, setCreating] = useState(false);
  const { data = [] } = useQuery(workspaceQueries.list(useApi()));
  const id = useId();
  const known = data.some(({ name }) => name === current);
  if (creating) {
    return (
      <NewWorkspaceForm
        onDone={name => {
          setCreating(false);
          if (name) {
            setCurrent(name);
          }
        }}
      />
    );
  }
  return (
    <div className="jp-mlws-switcher">
      <label htmlFor={id}>{trans.__('Workspace')}</label>
      <select
        id={id}
        value={current}
        title={trans.__('The workspace whose experiments are shown')}
        onChange={event => {
          if (event.target.value === CREATE) {
            setCreating(true);
          } else {
            setCurrent(event.target.value);
          }
        }}
      >
        {!known && <option value={current}>{current}</option>}
        {data.map(({ name, display_name: label }) => (
          <option key={name} value={name}>
            {optionText(name, label)}
          </option>
        ))}
        <option value={CREATE}>{trans.__('Create workspace…')}</option>
      </select>
    </div>
  );
}

/** The name that the addresses and the command line use, with the label where that says more. */
function optionText(name: string, label: string): string {
  return !label || label.toLowerCase() === name.toLowerCase()
    ? name
    : `${label} (${name})`;
}
