import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { ConfirmDeletion, ErrorNotice, Skeleton, useTrans } from '../../../ui';
import { deletionText, holdsSomething } from '../format';
import { useDeleteWorkspace } from '../mutations';
import { workspaceQueries } from '../queries';

/** What would go and what would be free, asked of the server; then the name, where something is lost. */
export function DeleteWorkspace(props: {
  name: string;
  onClose: () => void;
  onDeleted: () => void;
}): JSX.Element {
  const { name, onClose, onDeleted } = props;
  const trans = useTrans();
  const plan = useQuery(workspaceQueries.deletion(useApi(), name));
  const remove = useDeleteWorkspace(name);
  return (
    <section className="jp-mlws-card">
      {plan.error ? (
        <ErrorNotice error={plan.error} onRetry={() => void plan.refetch()} />
      ) : plan.data ? (
        <ConfirmDeletion
          name={holdsSomething(plan.data) ? name : null}
          text={deletionText(plan.data, trans)}
          onConfirm={async () => {
            await remove();
            onDeleted();
          }}
          onDone={onClose}
        />
      ) : (
        <Skeleton count={3} />
      )}
    </section>
  );
}
