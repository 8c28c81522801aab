import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import { ErrorNotice, Skeleton, useTrans } from '../../ui';
import { runQueries } from '../runs';
import { SubmitFields, type ISubmitFormProps } from './SubmitFields';

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
