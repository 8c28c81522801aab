import { fireEvent, screen, waitFor } from '@testing-library/react';

import { ApiError } from '../../../api/errors';
import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { RunHostProvider, type IRunHost } from '../host';
import { KeptKernel } from '../parts/KeptKernel';

const KEPT = {
  run_id: 'r1',
  kernel_id: 'k1',
  kernel_name: 'python3',
  display_name: 'Python 3',
  until: Date.now() + 28.5 * 60_000
};
const opened: string[] = [];
const host: IRunHost = {
  Markdown: () => <></>,
  Notebook: () => <></>,
  openCopy: () => Promise.resolve(),
  openFile: () => undefined,
  openConsole: id => {
    opened.push(id);
    return Promise.resolve();
  }
};

function show(keep: boolean, kernel: () => unknown): { asked: string[] } {
  const asked: string[] = [];
  const spec = {
    kind: 'notebook',
    notebook: 'n.ipynb',
    keep_kernel_on_failure: keep
  };
  renderWithServer(
    <RunHostProvider value={host}>
      <KeptKernel run={aRun({ kind: 'notebook', status: 'Failed' })} />
    </RunHostProvider>,
    anApi({
      'GET /jobs/{run_id}': () => ({ spec }),
      'GET /jobs/{run_id}/kernel': () => {
        asked.push('kernel');
        return kernel();
      },
      'POST /jobs/{run_id}/kernel/attach': () => {
        asked.push('attach');
        return KEPT;
      },
      'DELETE /jobs/{run_id}/kernel': () => {
        asked.push('end');
      }
    })
  );
  return { asked };
}

describe('KeptKernel', () => {
  it('tells for how long, and opens a console on the very kernel', async () => {
    const { asked } = show(true, () => KEPT);
    expect(await screen.findByText('Kernel kept for 29 min')).toBeVisible();
    fireEvent.click(screen.getByRole('button', { name: 'Open console' }));
    await waitFor(() => expect(opened).toEqual(['k1']));
    expect(asked).toContain('attach');
    fireEvent.click(screen.getByRole('button', { name: 'End kernel' }));
    await waitFor(() => expect(asked).toContain('end'));
  });

  it('is not there where no kernel is kept', async () => {
    const { asked } = show(true, () => {
      throw new ApiError(404, 'no_kernel_kept', 'No kernel is kept.');
    });
    await waitFor(() => expect(asked).toEqual(['kernel']));
    expect(screen.queryByRole('status')).toBeNull();
    expect(show(false, () => KEPT).asked).toEqual([]);
  });
});
