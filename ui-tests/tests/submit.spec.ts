import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import {
  DOC_SHOTS,
  docFolder,
  expectAccessible,
  notebookText,
  openNotebook,
  PANEL,
  pressRun,
  Server,
  TRAINING,
  type IRun
} from './workspace';

const SHOWN = 30_000;

test.use(docFolder);

test('a notebook runs as an experiment, from the button to the run', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('training');
  await page.contents.uploadContent(
    TRAINING,
    'text',
    `${tmpPath}/training.ipynb`
  );
  await page.sidebar.openTab(PANEL);
  await openNotebook(page, `${tmpPath}/training.ipynb`);

  const dialog = await pressRun(page);
  await expect(
    dialog.getByRole('combobox', { name: 'Experiment' })
  ).toHaveValue('training');
  await expect(dialog.getByLabel('learning_rate', { exact: true })).toHaveValue(
    '0.01'
  );
  await expect(dialog.getByLabel('layers', { exact: true })).toHaveValue(
    '[64, 32]'
  );
  await expect(dialog.getByLabel('augment', { exact: true })).not.toBeChecked();
  await expect(dialog.getByText('step size of the optimizer')).toBeVisible();
  await expect(
    dialog.getByText(/Snapshot: 1 file of this folder/)
  ).toBeVisible();

  // What is wrong stands at its field, and nothing can be sent.
  const rate = dialog.getByLabel('learning_rate', { exact: true });
  const run = dialog.getByRole('button', { name: 'Run', exact: true });
  await rate.fill('fast');
  await expect(dialog.getByRole('alert')).toContainText('A number is needed');
  await expect(run).toBeDisabled();
  await dialog
    .getByRole('button', { name: /Reset learning_rate to 0.01/ })
    .click();
  await expect(rate).toHaveValue('0.01');
  await rate.fill('0.1');
  await dialog.getByLabel('augment', { exact: true }).check();
  await dialog.getByLabel('epochs', { exact: true }).fill('16');
  await dialog.getByLabel('Run name').fill('lr-0.1');
  await dialog.getByText('More options').click();
  await dialog.getByLabel('Tags').fill('team = vision');
  await dialog.getByLabel('Note', { exact: true }).fill('A larger step.');
  await expectAccessible(page, '.jp-mlws-submit');
  await dialog.getByText('More options').click();
  if (DOC_SHOTS) {
    await page.screenshot({ path: '../docs/images/submit-dialog.png' });
  }
  await dialog.getByLabel('Run name').press('Control+Enter');

  const row = page
    .locator(`#${PANEL}`)
    .getByRole('treeitem', { name: /lr-0.1/ });
  await expect(row).toHaveAttribute('aria-selected', 'true', {
    timeout: SHOWN
  });
  await expect(row).toContainText('Running', { timeout: SHOWN });
  await expect(
    page.getByRole('button', { name: /Jobs: 1 running/ })
  ).toBeVisible();
  // The run's page is in front.
  await expect(
    page.getByRole('main').getByRole('tab', { name: 'lr-0.1' })
  ).toBeVisible();
  await expect(row.locator('.jp-mlws-sparkline path')).toHaveAttribute(
    'd',
    /L/,
    { timeout: SHOWN }
  );
  await page.activity.activateTab('training.ipynb');
  await expect(row).toContainText('Completed', { timeout: SHOWN });
  // From the notebook the notification leads to the run.
  await page
    .locator('.Toastify__toast', { hasText: 'lr-0.1 completed in' })
    .getByRole('button', { name: 'Open run' })
    .click();
  await expect(page.getByRole('heading', { name: 'lr-0.1' })).toBeVisible();
  if (DOC_SHOTS) {
    await page
      .getByRole('main')
      .getByRole('tab', { name: /^Metrics/ })
      .click();
    await expect(page.locator('.u-over').first()).toBeVisible();
    await page.screenshot({ path: '../docs/images/run-page.png' });
  }

  const stored = await server.latestRun('training');
  expect(stored.name).toBe('lr-0.1');
  expect(stored.params).toEqual({
    learning_rate: '0.1',
    epochs: '16',
    optimizer: 'adam',
    augment: 'True',
    layers: '[64, 32]'
  });
  expect(stored.tags['team']).toBe('vision');
  expect(stored.note).toBe('A larger step.');
  const acc = stored.metrics['acc']?.last ?? NaN;
  expect(acc).toBeCloseTo(1 - 0.1 - 0.5 / 16);
  await expect(row.locator('.jp-mlws-tree-value')).toHaveText(
    String(Number(acc.toPrecision(4)))
  );
  await expect(row.locator('.jp-mlws-tree-value')).toHaveAttribute(
    'title',
    `acc: ${acc}`
  );
  await expect(page.getByRole('button', { name: /Jobs:/ })).toBeHidden();

  // Only what was changed was sent.
  const job = await server.get<{ spec: { parameters: unknown } }>(
    `/jobs/${stored.id}`
  );
  expect(job.spec.parameters).toEqual({
    learning_rate: 0.1,
    epochs: 16,
    augment: true
  });

  await readTabs(page.locator(`#jp-mlws-runs-${stored.id}`), server, stored);
  await rerunSlower(page, server, stored);
});

/** Goes through the tabs of a run of the training, and reads on each what the server tells. */
async function readTabs(
  view: Locator,
  server: Server,
  { id, params, metrics }: IRun
): Promise<void> {
  const acc = metrics['acc']?.last ?? NaN;
  await view.getByRole('tab', { name: 'Overview' }).click();
  for (const [name, value] of Object.entries(params)) {
    await expect(
      view.getByRole('row', { name: new RegExp(`^${name}`) })
    ).toContainText(value);
  }
  await view.getByRole('tab', { name: 'Metrics 2' }).click();
  await expect(
    view
      .locator('.jp-mlws-metric-head', { hasText: 'acc' })
      .getByTitle(`${acc}`)
  ).toHaveText(String(Number(acc.toPrecision(4))));

  const { text } = await server.get<{ text: string }>(`/jobs/${id}/log`);
  const line = /epoch 15: .*/.exec(text)?.[0] ?? 'no such line';
  expect(line).toBe(`epoch 15: ${acc.toFixed(4)}`);
  await view.getByRole('tab', { name: 'Logs' }).click();
  await expect(view.getByRole('log')).toContainText(line);
  await view.getByRole('tab', { name: 'Notebook' }).click();
  await expect(view.locator('.jp-OutputArea', { hasText: line })).toBeVisible();

  const { entries } = await server.get<{ entries: { path: string }[] }>(
    `/runs/${id}/snapshot`
  );
  await view.getByRole('tab', { name: 'Snapshot' }).click();
  await expect(
    view
      .getByRole('tree', { name: 'Files of the snapshot' })
      .getByRole('treeitem')
  ).toHaveText(entries.map(({ path }) => new RegExp(`^${path}`)));
  await view.getByRole('tab', { name: 'Outputs' }).click();
  await view.getByRole('treeitem', { name: /^accuracy.txt/ }).click();
  await expect(view.locator('.jp-mlws-file pre')).toHaveText(`${acc}`);
}

/** Edits the parameters on the page of a run, and waits for the run that has them. */
async function rerunSlower(
  page: IJupyterLabPageFixture,
  server: Server,
  before: IRun
): Promise<void> {
  const view = page.locator(`#jp-mlws-runs-${before.id}`);
  await view.getByRole('button', { name: 'Edit and re-run…' }).click();
  const form = view.getByRole('form', { name: 'Edit and re-run' });
  await expect(form.getByLabel('learning_rate', { exact: true })).toHaveValue(
    '0.1'
  );
  await form.getByLabel('learning_rate', { exact: true }).fill('0.2');
  await form.getByLabel('epochs', { exact: true }).fill('2');
  // A box as in the dialog, with what the run had, the comment and the notebook's default.
  const augment = form.getByRole('checkbox', { name: 'augment' });
  await expect(augment).toBeChecked();
  await augment.uncheck();
  await expect(
    form.getByText('step size of the optimizer · default: 0.01')
  ).toBeVisible();
  await expect(form.getByText('3 changed')).toBeVisible();
  await expectAccessible(page, '.jp-mlws-rerun');
  // Escape leaves it, and the button is at hand again.
  const edit = view.getByRole('button', { name: 'Edit and re-run…' });
  await form.getByLabel('Run name').press('Escape');
  await expect(form).toBeHidden();
  await expect(edit).toBeFocused();
  await edit.press('Enter');
  await expect(augment).toBeChecked();
  await augment.press('Space');
  await form.getByLabel('learning_rate', { exact: true }).fill('0.2');
  await form.getByLabel('epochs', { exact: true }).fill('2');
  await form.getByLabel('Run name').fill('lr-0.2');
  await form.getByText('More options').click();
  await form.getByLabel('Environment variables').fill('AGAIN=1');
  await form.getByLabel('Run name').press('Enter');

  // Its page comes to the front, with its own values.
  const next = page.locator('.jp-mlws-run:visible', {
    has: page.getByRole('heading', { name: 'lr-0.2' })
  });
  await expect(next.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: SHOWN
  });
  const { id } = await server.latestRun('training');
  const after = await server.get<IRun>(`/runs/${id}`);
  expect(id).not.toBe(before.id);
  expect(after).toMatchObject({
    name: 'lr-0.2',
    status: 'Completed',
    params: {
      ...before.params,
      learning_rate: '0.2',
      epochs: '2',
      augment: 'False'
    }
  });
  const job = await server.get<{ env_names: string[] }>(`/jobs/${id}`);
  expect(job.env_names).toEqual(['AGAIN']);
  const acc = after.metrics['acc']?.last ?? NaN;
  expect(acc).toBeCloseTo(1 - 0.2 - 0.5 / 2);
  await expect(next.getByRole('row', { name: /^learning_rate/ })).toContainText(
    '0.2'
  );
  await expect(
    next.getByRole('row', { name: /^acc/ }).getByTitle(`${acc}`).first()
  ).toBeVisible();
  await expect(
    page.locator(`#${PANEL}`).getByRole('treeitem', { name: /lr-0.2/ })
  ).toContainText('Completed');
  expect(await server.get<IRun>(`/runs/${before.id}`)).toMatchObject({
    params: before.params
  });
}

test('a failing notebook says where, in the tree and in a notification', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('fails');
  await page.contents.uploadContent(
    notebookText(
      { source: 'rate = -1' },
      { source: 'raise ValueError("the rate is negative")' }
    ),
    'text',
    `${tmpPath}/fails.ipynb`
  );
  await page.sidebar.openTab(PANEL);
  await openNotebook(page, `${tmpPath}/fails.ipynb`);
  let dialog = await pressRun(page);

  // It has no parameters: the dialog says how, and does it.
  await dialog.getByRole('button', { name: 'Tag the selected cell' }).click();
  await expect(dialog.getByLabel('rate', { exact: true })).toHaveValue('-1');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  dialog = await pressRun(page);
  await dialog.getByLabel('rate', { exact: true }).fill('-2');
  await dialog.getByRole('button', { name: 'Run', exact: true }).click();

  const row = page
    .locator(`#${PANEL}`)
    .getByRole('treeitem', { name: /fails-1/ });
  await expect(row).toContainText('Failed', { timeout: SHOWN });
  const { error, params } = await server.latestRun('fails');
  expect(params).toEqual({ rate: '-2' });
  await expect(row).toContainText(
    `cell ${(error?.cell ?? NaN) + 1}: ValueError`
  );
  const told = page.locator('.Toastify__toast', { hasText: 'fails-1 failed' });
  await expect(told).toContainText('the rate is negative');
  await page
    .getByRole('main')
    .getByRole('tab', { name: 'fails-1' })
    .locator('.lm-TabBar-tabCloseIcon')
    .click();
  await told.getByRole('button', { name: 'Open run' }).click();
  await expect(
    page.getByRole('main').getByRole('tab', { name: 'fails-1' })
  ).toBeVisible();
});

test('names are only text', async ({ page, tmpPath }) => {
  const evil = '<img src=x onerror="window.mlwsHacked=1">';
  await page.contents.uploadContent(
    notebookText({ source: `x = 1  # ${evil}`, tags: ['parameters'] }),
    'text',
    `${tmpPath}/evil.ipynb`
  );
  await page.sidebar.openTab(PANEL);
  await openNotebook(page, `${tmpPath}/evil.ipynb`);
  const dialog = await pressRun(page);
  await expect(dialog.getByText(evil)).toBeVisible();
  await dialog.getByRole('combobox', { name: 'Experiment' }).fill(`e ${evil}`);
  await dialog.getByLabel('Run name').fill(`r ${evil}`);
  await dialog.getByLabel('Run name').press('Control+Enter');
  const panel = page.locator(`#${PANEL}`);
  await expect(panel.getByText(`e ${evil}`)).toBeVisible({ timeout: SHOWN });
  await expect(panel.getByText(`r ${evil}`)).toBeVisible();
  await expect(
    panel.getByRole('treeitem', { name: /^.*r <img/ })
  ).toContainText('Completed', { timeout: SHOWN });
  await expect(page.getByText(`r ${evil} completed in`)).toBeVisible();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(await page.evaluate(() => 'mlwsHacked' in window)).toBe(false);
});

test('a file is run from the file browser', async ({ page, tmpPath }) => {
  await page.contents.uploadContent(
    notebookText({ source: '1 + 1' }),
    'text',
    `${tmpPath}/plain.ipynb`
  );
  await page.filebrowser.refresh();
  await page.menu.openContextMenu(
    '.jp-DirListing-item[data-file-type="notebook"]'
  );
  await page.getByRole('menuitem', { name: 'Run as Experiment…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(
    dialog.getByRole('combobox', { name: 'Experiment' })
  ).toHaveValue('plain');
  await expect(
    dialog.getByRole('button', { name: 'Tag the selected cell' })
  ).toBeHidden();
  await dialog
    .getByRole('form')
    .getByRole('button', { name: 'Cancel' })
    .click();
  await expect(dialog).toBeHidden();
});
