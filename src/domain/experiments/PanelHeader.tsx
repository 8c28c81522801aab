import { ellipsesIcon, refreshIcon } from '@jupyterlab/ui-components';
import { useQueryClient } from '@tanstack/react-query';

import { useLive } from '../../api/context';
import { IconButton, useTrans } from '../../ui';
import { useSidebarHost } from './host';

/** The head of the sidebar: its name, a way to look again, and its menu. */
export function PanelHeader(): JSX.Element {
  const trans = useTrans();
  const queryClient = useQueryClient();
  const { openMenu } = useSidebarHost();
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
      <IconButton
        icon={ellipsesIcon}
        label={trans.__('Archive, bin and more')}
        onClick={event => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          openMenu(left, bottom);
        }}
      />
    </header>
  );
}
