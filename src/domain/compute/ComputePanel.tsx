import { addIcon, refreshIcon } from '@jupyterlab/ui-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi, useLost } from '../../api/context';
import { computeAddress } from '../../lib/address';
import {
  ErrorNotice,
  IconButton,
  Skeleton,
  StaleNotice,
  useFocusBack,
  useOpenPage,
  useTrans
} from '../../ui';
import { EnvironmentsSection } from '../environments';
import { useWorkspace } from '../workspaces';
import { NewTarget } from './parts/NewTarget';
import { TargetSection } from './parts/TargetSection';
import { computeQueries } from './queries';

/** The sidebar "ML Compute": where jobs run, what runs there, and what waits. */
export function ComputePanel(): JSX.Element {
  const trans = useTrans();
  const targets = useQuery(computeQueries.targets(useApi()));
  const lost = useLost();
  const [workspace] = useWorkspace();
  const refresh = (): void => void targets.refetch();
  const found = targets.data;
  const open = useOpenPage();
  const [adding, setAdding] = useState(false);
  const [addButton, backToAdd] = useFocusBack<HTMLButtonElement>();
  const close = (): void => {
    backToAdd();
    setAdding(false);
  };
  return (
    <section
      className="jp-mlws-sidebar jp-mlws-compute"
      aria-label={trans.__('ML Compute')}
    >
      <header className="jp-mlws-panel-header">
        <h2>{trans.__('ML Compute')}</h2>
        <IconButton
          icon={addIcon}
          label={trans.__('New compute target…')}
          ref={addButton}
          onClick={() => setAdding(true)}
        />
        <IconButton
          icon={refreshIcon}
          label={trans.__('Refresh')}
          onClick={refresh}
        />
      </header>
      <div className="jp-mlws-sidebar-body">
        {adding && (
          <section className="jp-mlws-target">
            <NewTarget
              onDone={name => {
                close();
                open?.(computeAddress(name) ?? '');
              }}
              onCancel={close}
            />
          </section>
        )}
        {targets.error && !found && (
          <ErrorNotice
            title={trans.__('The compute targets could not be loaded.')}
            error={targets.error}
            onRetry={refresh}
          />
        )}
        {targets.isPending && <Skeleton count={8} />}
        {found?.map(target => (
          <TargetSection
            key={target.name}
            target={target}
            answeredAt={targets.dataUpdatedAt}
            alone={found.length === 1}
          />
        ))}
        {found && <EnvironmentsSection key={workspace} workspace={workspace} />}
        {found && (
          <StaleNotice
            lost={lost}
            error={targets.error}
            at={targets.dataUpdatedAt}
            onRetry={refresh}
          />
        )}
      </div>
    </section>
  );
}
