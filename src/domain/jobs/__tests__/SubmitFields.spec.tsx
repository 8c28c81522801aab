import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import {
  aGateway,
  aHost,
  aPbs,
  aSlurm,
  aTarget,
  ofHost
} from '../../../testing/compute';
import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { SubmitFields } from '../SubmitFields';
import type { ComputeTarget, NotebookInspection } from '../types';
import { anInspection } from './factories';

/** The form, with a server that answers a submit when the test says so. */
function openForm(
  targets: ComputeTarget[] = [],
  inspection: Partial<NotebookInspection> = {}
) {
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
      inspection={anInspection({ not_captured: ['data'], ...inspection })}
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
      { ...aPbs(), name: 'torque' },
      aGateway()
    ]);
    const user = userEvent.setup();
    const target = screen.getByRole('combobox', { name: 'Compute target' });
    await screen.findByRole('option', { name: /^far · / });
    const said: (string | null)[] = [];
    const names = ['local', 'lab', 'cluster', 'far-cluster', 'torque', 'far'];
    for (const name of names) {
      await user.selectOptions(target, name);
      said.push(screen.getByText(/not captured/).textContent);
    }
    expect(said).toEqual([
      '1 path is not captured: the job sees the original.',
      '1 path is not captured: it is not there on lab.',
      '1 path is not captured: the job sees the original, where its node sees it.',
      '1 path is not captured: it is not there on far-cluster.',
      '1 path is not captured: the job sees the original, where its node sees it.',
      '1 path is not captured, nor is it there.'
    ]);
    expect(screen.getByText(/kernel on far sees none of them/)).toBeVisible();
  });

  describe('on another Jupyter server', () => {
    const kernels = [
      { name: 'ir', display_name: 'R', language: 'R' },
      { name: 'python3', display_name: 'Python 3', language: 'python' }
    ];
    const { facts } = ofHost({
      notebooks: { missing: '', papermill: null, ipykernel: null, kernels }
    });
    const far = (kernel: string | null): ComputeTarget =>
      aGateway({ kernel }, { facts });

    async function choose(target: string): Promise<HTMLElement> {
      await screen.findByRole('option', { name: /^far · / });
      await userEvent.selectOptions(
        screen.getByRole('combobox', { name: 'Compute target' }),
        target
      );
      return screen.getByRole('combobox', { name: 'Kernel' });
    }

    it('calls the kernel that a notebook was worked on in as that server does', async () => {
      openForm([aTarget(), far(null)], {
        kernel: 'mlws-far.python3',
        kernel_display_name: 'Python 3 on far'
      });
      let kernel = await choose('local');
      expect(kernel).toHaveAccessibleDescription(/It is one of far/);
      kernel = await choose('far');
      expect(kernel).toBeValid();
      expect(kernel).toHaveDisplayValue('Python 3 · notebook’s own');
      expect(kernel.querySelectorAll('option')).toHaveLength(2);
      await userEvent.selectOptions(kernel, 'ir');
      await choose('local');
      expect(kernel).toHaveDisplayValue('ir · not installed');
      await choose('far');
      await userEvent.selectOptions(kernel, 'python3');
      // It is the notebook's own again, and no other is asked for.
      await choose('local');
      expect(kernel).toHaveDisplayValue('Python 3 on far');
    });

    it.each([
      [null, 'Julia · not installed', false],
      ['ir', 'Julia · runs in ir there', true]
    ])(
      'says what becomes of a notebook whose kernel is not there, with %p for such ones',
      async (usual, label, runs) => {
        openForm([aTarget(), far(usual)], {
          kernel: 'julia',
          kernel_display_name: 'Julia',
          kernel_available: false
        });
        const kernel = await choose('far');
        expect(kernel).toHaveDisplayValue(label);
        expect(kernel.matches('[aria-invalid="true"]')).toBe(!runs);
        const button: HTMLButtonElement = screen.getByRole('button', {
          name: 'Run'
        });
        expect(button.disabled).toBe(!runs);
      }
    );
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
