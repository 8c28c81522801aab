import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { aGateway, aHost, aSlurm, aTarget } from '../../../testing/compute';
import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { SubmitFields } from '../SubmitFields';
import type { ComputeTarget } from '../types';
import { anInspection } from './factories';

/** The form, with a server that answers a submit when the test says so. */
function openForm(targets: ComputeTarget[] = []) {
  let answer: (job: unknown) => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  const api = anApi({
    'GET /kernels': () => ({
      kernels: [
        { name: 'python3', display_name: 'Python 3', language: 'python' }
      ]
    }),
    'GET /compute': () => ({ targets }),
    'GET /workspaces/{workspace}/environments': () => ({
      environments: [],
      next_cursor: null
    }),
    // More than can be listed: of a single name the server must be asked.
    'GET /workspaces/{workspace}/experiments': ({ params }) => ({
      experiments:
        params?.query?.['q'] === 'unlisted' ? [{ name: 'unlisted' }] : [],
      next_cursor: params?.query?.['q'] === undefined ? 'next' : null
    }),
    'POST /workspaces/{workspace}/jobs': () =>
      new Promise((resolve, reject) => {
        answer = resolve;
        refuse = reject;
      })
  });
  const told = { onSubmitted: jest.fn(), onFailed: jest.fn() };
  const rendered = renderWithServer(
    <SubmitFields
      workspace="default"
      path="lab/train.ipynb"
      target="local"
      confirmLarge={false}
      onTagCell={null}
      onCancel={() => undefined}
      inspection={anInspection({ not_captured: ['data'] })}
      {...told}
    />,
    api
  );
  return {
    ...rendered,
    ...told,
    answer: (job: unknown) => answer(job),
    refuse: (error: Error) => refuse(error)
  };
}

async function pressRun(): Promise<void> {
  const user = userEvent.setup();
  await user.click(screen.getByRole('button', { name: 'Run' }));
  await screen.findByRole('button', { name: 'Submitting…' });
}

describe('SubmitFields', () => {
  it('calls no experiment new that is only not listed', async () => {
    openForm();
    const user = userEvent.setup();
    const field = screen.getByRole('combobox', { name: 'Experiment' });
    const isNew = /it is made with this run/;
    await screen.findByText(isNew);
    await user.clear(field);
    await user.type(field, 'unlisted');
    await waitFor(() => expect(screen.queryByText(isNew)).toBeNull());
    await user.type(field, '2');
    await screen.findByText(isNew);
  });

  it('says what a job on the chosen target sees of the folder', async () => {
    openForm([
      aTarget(),
      aHost({ kinds: null }),
      aSlurm(),
      { ...aSlurm({ via: 'lab' }), name: 'far-cluster' },
      aGateway()
    ]);
    const user = userEvent.setup();
    const target = screen.getByRole('combobox', { name: 'Compute target' });
    await screen.findByRole('option', { name: /^far · / });
    const said: (string | null)[] = [];
    for (const name of ['local', 'lab', 'cluster', 'far-cluster', 'far']) {
      await user.selectOptions(target, name);
      said.push(screen.getByText(/not captured/).textContent);
    }
    expect(said).toEqual([
      '1 path is not captured: the job sees the original.',
      '1 path is not captured: it is not there on lab.',
      '1 path is not captured: the job sees the original, where its node sees it.',
      '1 path is not captured: it is not there on far-cluster.',
      '1 path is not captured, nor is it there.'
    ]);
    expect(screen.getByText(/kernel on far sees none of them/)).toBeVisible();
  });

  it('tells the outcome also when the form was closed meanwhile', async () => {
    const form = openForm();
    await pressRun();
    form.unmount();
    act(() => form.answer({ run: aRun({ name: 'late' }) }));
    await waitFor(() =>
      expect(form.onSubmitted).toHaveBeenCalledWith({
        run: expect.objectContaining({ name: 'late' }) as unknown
      })
    );
    expect(form.onFailed).not.toHaveBeenCalled();
  });

  it('tells a failure then, too', async () => {
    const form = openForm();
    await pressRun();
    form.unmount();
    act(() => form.refuse(new Error('full')));
    await waitFor(() =>
      expect(form.onFailed).toHaveBeenCalledWith(
        expect.objectContaining({ message: 'full' })
      )
    );
  });
});
