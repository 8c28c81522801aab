import { refreshIcon } from '@jupyterlab/ui-components';
import { useQueryClient } from '@tanstack/react-query';

import { useLive } from '../../api/context';
import { IconButton, useTrans } from '../../ui';

/** The head of the sidebar: its name, and a way to look again. */
export function PanelHeader(): JSX.Element {
  const trans = useTrans();
  const queryClient = useQueryClient();
  const live = useLive();
  const refresh = trans.__('Refresh');
  return (
    <header className="jp-mlws-panel-header">
      <h2>{trans.__('ML Experiments')}</h2>
      <IconButton
        icon={refreshIcon}
        label={
          live ? refresh : trans.__('Refresh (live updates are not connected)')
        }
        onClick={() => void queryClient.invalidateQueries()}
      />
    </header>
  );
}
