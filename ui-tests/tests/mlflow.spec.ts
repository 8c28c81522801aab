import { expect, test } from '@jupyterlab/galata';

import {
  notebookOf,
  openNotebook,
  PANEL,
  Server,
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
