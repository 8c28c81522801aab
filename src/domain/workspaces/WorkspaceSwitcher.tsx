import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { useApi } from '../../api/context';
import { workspaceAddress } from '../../lib/address';
import { useOpenPage, useTrans } from '../../ui';
import { extraLabel } from './format';
import { NewWorkspaceForm } from './NewWorkspaceForm';
import { workspaceQueries, type Workspace } from './queries';
import { useWorkspace } from './useWorkspace';

/** No workspace's name has a space. */
const CREATE = ' create';
const MANAGE = ' manage';

/** Chooses the workspace that is looked at; its last entries make a new one, in place, and lead to all of them. */
export function WorkspaceSwitcher(): JSX.Element {
  const trans = useTrans();
  const [current, setCurrent] = useWorkspace();
  const open = useOpenPage();
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
          const { value } = event.target;
          if (value === CREATE) {
            setCreating(true);
          } else if (value === MANAGE) {
            open?.(workspaceAddress(current, 'details'));
          } else {
            setCurrent(value);
          }
        }}
      >
        {!known && <option value={current}>{current}</option>}
        {data.map(workspace => (
          <option key={workspace.name} value={workspace.name}>
            {optionText(workspace)}
          </option>
        ))}
        <option value={CREATE}>{trans.__('Create workspace…')}</option>
        {open && (
          <option value={MANAGE}>{trans.__('Manage workspaces…')}</option>
        )}
      </select>
    </div>
  );
}

/** The name that the addresses and the command line use, with the label where that says more. */
function optionText(workspace: Workspace): string {
  const label = extraLabel(workspace);
  return label ? `${label} (${workspace.name})` : workspace.name;
}
