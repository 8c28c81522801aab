import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '@jupyterlab/galata';

import {
  notebookText,
  openNotebook,
  pressRun,
  ROOT,
  Server,
  TRAINING,
  type IRun
} from './workspace';

test('the form holds the keys, and shows its job as a file that the server reads', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await page.contents.uploadContent(
    TRAINING,
    'text',
    `${tmpPath}/training.ipynb`
  );
  await openNotebook(page, `${tmpPath}/training.ipynb`);

  // Its first field has the focus by itself; Tab stays within, and Escape leaves.
  const first = await pressRun(page);
  await expect(
    first.getByRole('combobox', { name: 'Experiment' })
  ).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await expect(
    first.getByRole('button', { name: 'Run', exact: true })
  ).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(first).toHaveCount(0);

  // The palette has it too, as long as a notebook is in front.
  // It closes where the dialog gives the focus back to the notebook only now.
  const palette = page.locator('#modal-command-palette');
  await expect(async () => {
    await page.keyboard.press('Control+Shift+KeyC');
    await palette
      .locator('input')
      .fill('run notebook as experiment', { timeout: 2_000 });
    await palette
      .getByText('Run Notebook as Experiment…', { exact: true })
      .click({ timeout: 2_000 });
  }).toPass();
  const dialog = page.getByRole('dialog');
  await expect(
    dialog.getByRole('combobox', { name: 'Experiment' })
  ).toBeFocused();
  await expect(dialog).toContainText('training.ipynb');
  await dialog.getByLabel('learning_rate', { exact: true }).fill('0.1');
  await dialog.getByLabel('Run name').fill('no');
  // A click beside it throws nothing away.
  await page.mouse.click(5, 5);
  await dialog.getByText('Show as YAML').click();
  const yaml = dialog.getByLabel('Job file');
  await expect(yaml).toContainText('learning_rate: 0.1');
  const { job } = await server.send<{ job: object }>(
    'POST',
    '/workspaces/default/jobs/file/validate',
    { text: (await yaml.textContent()) ?? '', folder: tmpPath }
  );
  expect(job).toMatchObject({
    name: 'no',
    experiment: 'training',
    spec: {
      notebook: 'training.ipynb',
      parameters: { learning_rate: 0.1 }
    }
  });
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});

/** What the server keeps of a job. */
interface IJob {
  run: IRun & { target: string; reason: string | null };
  spec: { kernel: string; notebook: string };
  priority: number;
  timeout_s: number | null;
  env_names: string[];
}

test('kernel, target, limits and environment are those of the job', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('advanced');
  await page.contents.uploadContent(
    notebookText({
      source: [
        'import os, sys',
        'with open("beside.txt", "w") as file:',
        '    print(sys.prefix, os.environ["FLAVOR"], sep="\\n", file=file)'
      ].join('\n')
    }),
    'text',
    `${tmpPath}/advanced.ipynb`
  );
  await openNotebook(page, `${tmpPath}/advanced.ipynb`);
  const dialog = await pressRun(page);
  const { kernels } = await server.get<{ kernels: { name: string }[] }>(
    '/kernels'
  );
  const kernel = dialog.getByLabel('Kernel', { exact: true });
  await expect(kernel).toHaveValue('python3');
  await expect(kernel.locator('option')).toHaveCount(kernels.length);
  await kernel.selectOption({ label: 'With MLflow' });
  const { targets } = await server.get<{
    targets: { name: string; max_jobs: number }[];
  }>('/compute');
  const target = dialog.getByLabel('Compute target');
  await expect(target.locator('option')).toHaveText(
    targets.map(
      one => new RegExp(`^${one.name} · \\d+ of ${one.max_jobs} slot`)
    )
  );
  await target.selectOption('local');

  // What is wrong stands at its field, and nothing can be sent.
  await dialog.getByText('More options').click();
  await dialog.getByLabel('Run in the notebook’s own folder').check();
  await dialog.getByLabel('Time limit').fill('soon');
  await dialog.getByLabel('Priority').fill('101');
  await dialog.getByLabel('Environment variables').fill('FLAVOR');
  await expect(dialog.getByRole('alert')).toContainText([
    'A span with its unit',
    'A whole number from −100 to 100',
    '“FLAVOR” is no NAME=value'
  ]);
  const run = dialog.getByRole('button', { name: 'Run', exact: true });
  await expect(run).toBeDisabled();
  await dialog.getByLabel('Time limit').fill('1h 30m');
  await dialog.getByLabel('Priority').fill('7');
  await dialog.getByLabel('Environment variables').fill('FLAVOR = sour');
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await dialog.getByLabel('Run name').fill('all fields');
  await run.click();

  await expect(page.getByRole('heading', { name: 'all fields' })).toBeVisible();
  const { id } = await server.latestRun('advanced');
  const view = page.locator(`#jp-mlws-runs-${id}`);
  await expect(view.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: 60_000
  });
  const job = await server.get<IJob>(`/jobs/${id}`);
  expect(job).toMatchObject({
    run: { name: 'all fields', target: 'local' },
    spec: { kernel: 'with-mlflow', notebook: `${tmpPath}/advanced.ipynb` },
    timeout_s: 5400,
    priority: 7,
    env_names: ['FLAVOR']
  });
  await expect(view.locator('.jp-mlws-about')).toContainText('With MLflow');
  // It ran in its own folder, by that kernel's Python, with the variable.
  const lines = (await readFile(join(ROOT, tmpPath, 'beside.txt'), 'utf8'))
    .trim()
    .split('\n');
  expect(lines).toEqual([expect.stringMatching(/\.venv-mlflow$/), 'sour']);
});

test('more options stay open while their fields are typed in', async ({
  page,
  tmpPath
}) => {
  await page.contents.uploadContent(
    TRAINING,
    'text',
    `${tmpPath}/training.ipynb`
  );
  await openNotebook(page, `${tmpPath}/training.ipynb`);
  const dialog = await pressRun(page);
  await dialog.getByText('More options').click();
  const limit = dialog.getByLabel('Time limit');
  await limit.click();
  await page.keyboard.type('1h 30m');
  await expect(limit).toBeVisible({ timeout: 5_000 });
  await expect(limit).toHaveValue('1h 30m');
  await expect(limit).toBeFocused();
});
