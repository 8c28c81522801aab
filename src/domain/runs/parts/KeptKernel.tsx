import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../../api/context';
import { ErrorNotice, useTrans } from '../../../ui';
import { useRunHost } from '../host';
import { useEndKernel, useOpenConsole } from '../kernelMutations';
import { runQueries } from '../queries';
import type { Run } from '../types';
import { useNow } from '../useNow';

/** The kernel of a failed notebook, for as long as it is kept: a console on it, and its end. */
export function KeptKernel({ run }: { run: Run }): JSX.Element | null {
  const failed = run.kind === 'notebook' && run.status === 'Failed';
  const api = useApi();
  const job = useQuery({ ...runQueries.job(api, run.id), enabled: failed });
  const spec = job.data?.spec;
  const asked = spec?.kind === 'notebook' && spec.keep_kernel_on_failure;
  const kernel = useQuery({
    ...runQueries.kernel(api, run.id),
    enabled: failed && Boolean(asked)
  });
  const kept = kernel.data;
  const now = useNow(Boolean(kept));
  const trans = useTrans();
  const host = useRunHost();
  const open = useOpenConsole(run.id, host.openConsole);
  const end = useEndKernel(run.id);
  const left = kept ? Math.ceil((kept.until - now) / 60_000) : 0;
  if (!kept || left <= 0) {
    return null;
  }
  return (
    <div className="jp-mlws-notice" role="status">
      <span title={trans.__('All variables of the notebook are in it.')}>
        {trans._n('Kernel kept for 1 min', 'Kernel kept for %1 min', left)}
      </span>
      <button
        type="button"
        className="jp-mlws-button"
        disabled={open.isPending}
        title={trans.__(
          'A console on the kernel of this run, as it was when the cell failed'
        )}
        onClick={() => open.mutate()}
      >
        {trans.__('Open console')}
      </button>
      <button
        type="button"
        className="jp-mlws-link"
        disabled={end.isPending}
        onClick={() => end.mutate()}
      >
        {end.isPending ? trans.__('Ending…') : trans.__('End kernel')}
      </button>
      {(open.error ?? end.error) && (
        <ErrorNotice error={open.error ?? end.error} />
      )}
    </div>
  );
}
