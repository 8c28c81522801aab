import { nullTranslator } from '@jupyterlab/translation';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import { ApiError } from '../../../api/errors';
import { aTarget } from '../../../testing/compute';
import { aBuild, anEnvironment, aVersion } from '../../../testing/environments';
import { anApi, renderWithServer } from '../../../testing/server';
import { jobFile } from '../jobFile';
import { MainFields } from '../parts/MainFields';
import { buildRerun, rerunSubject, startRerun } from '../rerun';
import {
  buildJob,
  findProblems,
  placeOf,
  startSubmission,
  type ISubmission
} from '../submission';
import type { ISubject } from '../types';
import { aJob, anInspection } from './factories';

const trans = nullTranslator.load('jupyter_mlws');
const SSH = { user: 'ada', host: 'gpu', port: 22 } as NonNullable<
  ReturnType<typeof aTarget>['ssh']
>;

/** The fields as they stand in the form. */
function open(subject: ISubject, start: ISubmission) {
  const api = anApi({
    'GET /kernels': () => ({ kernels: [] }),
    'GET /compute': () => ({
      targets: [aTarget(), aTarget({ name: 'far', ssh: SSH })]
    }),
    'GET /workspaces/{workspace}/experiments': () => ({
      experiments: [],
      next_cursor: null
    }),
    'GET /workspaces/{workspace}/environments': () => ({
      environments: [
        anEnvironment({
          latest: aVersion({ build: aBuild({ status: 'NotBuilt' }) })
        }),
        anEnvironment({
          name: 'r',
          latest: aVersion({ definition: { kind: 'kernel', kernel: 'ir' } })
        })
      ],
      next_cursor: null
    })
  });
  const held = { form: start };
  function Held(): JSX.Element {
    const [form, setForm] = useState(start);
    held.form = form;
    return (
      <MainFields
        workspace="lab"
        subject={subject}
        form={form}
        problems={findProblems(form, subject, trans)}
        disabled={false}
        onChange={part => setForm(before => ({ ...before, ...part }))}
      />
    );
  }
  renderWithServer(<Held />, api);
  return held;
}

function field(): HTMLElement {
  return screen.getByRole('combobox', { name: 'Environment' });
}

describe('the environment of a job', () => {
  it('is none at first, or one of the workspace', async () => {
    const inspection = anInspection();
    const held = open(inspection, startSubmission(inspection, 'local'));
    await within(field()).findByText('sklearn · version 1 · Not built');
    expect(field()).toHaveDisplayValue('none · the notebook’s kernel');
    expect(buildJob(held.form, inspection)).not.toHaveProperty('environment');
    await userEvent.selectOptions(field(), 'sklearn');
    expect(field()).toHaveAccessibleDescription(/built before the job begins/);
    const job = buildJob(held.form, inspection);
    expect(job.environment).toBe('sklearn');
    expect(jobFile(job, 'lab').text).toContain('\nenvironment: sklearn\n');
  });

  it('is taken away, with a reason, by a target that takes none', async () => {
    const inspection = anInspection();
    const held = open(inspection, startSubmission(inspection, 'local'));
    await within(field()).findByText(/^sklearn/);
    await userEvent.selectOptions(field(), 'sklearn');
    await userEvent.selectOptions(
      screen.getByRole('combobox', { name: 'Compute target' }),
      'far'
    );
    expect(field()).toBeDisabled();
    expect(field()).toHaveAccessibleDescription(/^Jobs on far find/);
    expect(held.form.environment).toBe('');
  });

  it('is no kernel for a command, and the one it had when it is run again', async () => {
    const job = aJob({
      environment: 'sklearn:1',
      spec: { kind: 'command', command: 'make' }
    });
    const held = open(rerunSubject(job, null, []), {
      ...startRerun(job),
      target: 'local'
    });
    expect(await within(field()).findByText(/^r · version/)).toBeDisabled();
    expect(field()).toHaveDisplayValue('sklearn:1 · as before');
    expect(
      buildRerun({ ...held.form, target: '' }, job, [])
    ).not.toHaveProperty('environment');
    await userEvent.selectOptions(field(), '');
    await waitFor(() =>
      expect(buildRerun(held.form, job, [])).toHaveProperty('environment', null)
    );
  });

  it('has the server’s objection at its field', () => {
    const refused = new ApiError(
      400,
      'unknown_environment',
      'No.',
      'environment'
    );
    expect(placeOf(refused, anInspection())).toBe('environment');
  });
});
