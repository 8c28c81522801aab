import { expect, test } from '@jupyterlab/galata';

import {
  notebookOf,
  notebookText,
  openNotebook,
  PANEL,
  Server,
  writeRootFile,
  type IRun
} from './workspace';

// MLflow takes its time to be imported, and more on a busy machine.
const SHOWN = 120_000;

test('plain MLflow code in a cell makes its run appear', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('irises');
  const fit = [
    'import mlflow',
    'from sklearn.datasets import load_iris',
    'from sklearn.linear_model import LogisticRegression',
    'mlflow.sklearn.autolog()',
    'X, y = load_iris(return_X_y=True)',
    'model = LogisticRegression(max_iter=300, C=0.5).fit(X, y)',
    'print("fitted", model.C)'
  ];
  await page.contents.uploadContent(
    notebookOf('with-mlflow', 'With MLflow', { source: fit.join('\n') }),
    'text',
    `${tmpPath}/irises.ipynb`
  );
  await page.sidebar.openTab(PANEL);
  const panel = page.locator(`#${PANEL}`);
  await openNotebook(page, `${tmpPath}/irises.ipynb`);
  await page.notebook.activate('irises.ipynb');
  await page.notebook.selectCells(0);
  await page.keyboard.press('Shift+Enter');

  // In the experiment named after the notebook, while the cell still runs or a moment later.
  const head = panel.getByRole('treeitem', { name: /^irises/ });
  await expect(head).toBeVisible({ timeout: SHOWN });
  await expect(
    page.locator('.jp-OutputArea-output').getByText('fitted 0.5')
  ).toBeVisible({ timeout: SHOWN });
  const run = await server.latestRun('irises');
  if ((await head.getAttribute('aria-expanded')) !== 'true') {
    await head.click();
  }
  const row = panel.getByRole('treeitem', { name: new RegExp(run.name) });
  await expect(row).toContainText('Completed', { timeout: SHOWN });
  await row.click();

  // Its page shows what autolog logged.
  const view = page.locator(`#jp-mlws-runs-${run.id}`);
  await expect(view.getByText('max_iter', { exact: true })).toBeVisible();
  const logged = await server.get<IRun>(`/runs/${run.id}`);
  expect(logged.params).toMatchObject({ C: '0.5', max_iter: '300' });
  const score = logged.metrics['training_accuracy_score']?.last ?? 0;
  expect(score).toBeGreaterThan(0.9);
  await expect(
    view
      .locator('.jp-mlws-head-metric')
      .filter({ hasText: /accuracy/ })
      .first()
  ).toContainText(score.toPrecision(3).slice(0, 4));
  await view.getByRole('tab', { name: 'Outputs' }).click();
  await expect(
    view.getByRole('treeitem', { name: /confusion_matrix\.png/ })
  ).toBeVisible();
  await view.getByRole('tab', { name: 'Snapshot' }).click();
  await expect(
    view.getByRole('treeitem', { name: /^irises\.ipynb/ })
  ).toBeVisible();
});

test('where MLflow has runs already, the Lab asks before it changes anything', async ({
  page,
  request,
  baseURL,
  tmpPath
}, info) => {
  const server = new Server(request, baseURL ?? '');
  await writeRootFile(`${tmpPath}/mlruns/0/meta.yaml`, 'name: Default\n');
  await page.contents.uploadContent(
    notebookText({
      source:
        "import os; print('logs to', os.environ.get('MLFLOW_TRACKING_URI', 'the folder'))"
    }),
    'text',
    `${tmpPath}/old.ipynb`
  );
  await openNotebook(page, `${tmpPath}/old.ipynb`);
  await page.notebook.activate('old.ipynb');
  const question = page.locator('.Toastify__toast').filter({
    hasText: 'MLflow logs to “mlruns” in this notebook’s folder'
  });
  await expect(question).toBeVisible({ timeout: SHOWN });
  await page.notebook.selectCells(0);
  await page.keyboard.press('Control+Enter');
  const output = page.locator('.jp-OutputArea-output');
  await expect(output.getByText('logs to the folder')).toBeVisible({
    timeout: SHOWN
  });

  await page.screenshot({ path: info.outputPath('asks.png') });
  await question.getByRole('button', { name: 'Log to the workspace' }).click();
  const done = page
    .locator('.Toastify__toast')
    .filter({ hasText: 'from their next start on' });
  await done.getByRole('button', { name: 'Start this kernel anew' }).click();
  expect(
    await server.get(`/mlflow/folder?path=${encodeURIComponent(tmpPath)}`)
  ).toEqual({ folder: tmpPath, logs_to: 'workspace', store: 'mlruns' });
  await expect(async () => {
    await page.notebook.selectCells(0);
    await page.keyboard.press('Control+Enter');
    await expect(output.getByText(/logs to http.*\/mlws/)).toBeVisible({
      timeout: 5_000
    });
  }).toPass({ timeout: SHOWN });
});
