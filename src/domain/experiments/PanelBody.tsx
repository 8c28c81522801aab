import { useQueryClient } from '@tanstack/react-query';

import { useLost } from '../../api/context';
import { DEFAULT_WORKSPACE } from '../../lib/workspace';
import {
  EmptyState,
  ErrorNotice,
  Skeleton,
  StaleNotice,
  useTrans
} from '../../ui';
import { runKeys } from '../runs';
import { useWorkspace } from '../workspaces';
import { ExperimentTree } from './ExperimentTree';
import { useSidebarHost } from './host';
import type { SidebarView } from './SidebarModel';
import { isGone, useSidebarState, useTree } from './useTree';

/** The tree, or what stands where there is none. */
export function PanelBody(props: {
  q: string;
  onClearFilter: () => void;
}): JSX.Element {
  const { q, onClearFilter } = props;
  const trans = useTrans();
  const state = useSidebarState();
  const client = useQueryClient();
  const tree = useTree(q);
  const lost = useLost();
  if (isGone(tree.error)) {
    return <WorkspaceGone />;
  }
  if (tree.error && tree.rows.length === 0) {
    return (
      <ErrorNotice
        title={trans.__('The experiments could not be loaded.')}
        error={tree.error}
        onRetry={tree.retry}
      />
    );
  }
  if (tree.rows.length > 0) {
    return (
      <>
        <ExperimentTree
          rows={tree.rows}
          state={state}
          onEnd={tree.loadMore}
          onMoreRuns={tree.loadMoreRuns}
          onRetry={id =>
            void client.refetchQueries({ queryKey: runKeys.of(id, 'latest') })
          }
        />
        <StaleNotice
          lost={lost}
          error={tree.answer.error}
          at={tree.answer.at}
          onRetry={() => void client.invalidateQueries()}
        />
      </>
    );
  }
  if (tree.loading) {
    return <Skeleton count={6} />;
  }
  return q ? (
    <EmptyState
      text={trans.__('Nothing here is named like “%1”.', q)}
      action={{ label: trans.__('Clear the filter'), onClick: onClearFilter }}
    />
  ) : (
    <Nothing view={state.view} />
  );
}

/** It was deleted or renamed by somebody else. */
function WorkspaceGone(): JSX.Element {
  const trans = useTrans();
  const [workspace, setWorkspace] = useWorkspace();
  return (
    <EmptyState
      text={trans.__(
        'There is no workspace “%1” any more: it was deleted or renamed.',
        workspace
      )}
      action={{
        label: trans.__('Go to %1', DEFAULT_WORKSPACE),
        onClick: () => setWorkspace(DEFAULT_WORKSPACE)
      }}
    />
  );
}

/** An empty list teaches what would fill it. */
function Nothing(props: { view: SidebarView }): JSX.Element {
  const trans = useTrans();
  const { model, runNotebook } = useSidebarHost();
  const back = {
    label: trans.__('Back to the experiments'),
    onClick: () => model.show('active')
  };
  switch (props.view) {
    case 'archived':
      return (
        <EmptyState
          text={trans.__('No experiment is archived.')}
          action={back}
        />
      );
    case 'bin':
      return (
        <EmptyState
          text={trans.__('The bin is empty: runs you delete wait here.')}
          action={back}
        />
      );
    case 'active':
      return (
        <EmptyState
          text={trans.__(
            'Run a notebook as an experiment, or log from any cell: the run appears here at once.'
          )}
          action={{
            label: trans.__('Run a notebook…'),
            onClick: runNotebook
          }}
          code="import mlws; mlws.start_run()"
        />
      );
  }
}
