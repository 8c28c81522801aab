import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import { ErrorNotice, Skeleton, useTrans } from '../../ui';
import { runQueries, type Job } from '../runs';
import { SubmitFields } from './SubmitFields';

export interface ISubmitFormProps {
  workspace: string;
  /** The notebook, below the server's root. */
  path: string;
  /** The compute target to begin with. */
  target: string;
  /** Whether a large snapshot is asked about first. */
  confirmLarge: boolean;
  /** Tags the selected cell of the open notebook with "parameters"; null where it is not open. */
  onTagCell: (() => Promise<void>) | null;
  onSubmitted: (job: Job) => void;
  onCancel: () => void;
}

/** The form "Run as experiment". */
export function SubmitForm(props: ISubmitFormProps): JSX.Element {
  const { workspace, path, onTagCell } = props;
  const trans = useTrans();
  const inspection = useQuery({
    ...runQueries.inspection(useApi(), workspace, path),
    // The file may be another one than a moment ago.
    staleTime: 0,
    gcTime: 0
  });
  if (inspection.error && !inspection.data) {
    return (
      <div className="jp-mlws-submit">
        <ErrorNotice
          title={trans.__('%1 cannot run as an experiment.', path)}
          error={inspection.error}
          onRetry={() => void inspection.refetch()}
        />
      </div>
    );
  }
  return (
    <div className="jp-mlws-submit">
      {inspection.data ? (
        <SubmitFields
          {...props}
          inspection={inspection.data}
          onTagCell={
            onTagCell &&
            (async () => {
              await onTagCell();
              await inspection.refetch();
            })
          }
        />
      ) : (
        <Skeleton count={8} />
      )}
    </div>
  );
}
