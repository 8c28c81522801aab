import { join } from 'node:path';

import { expect, test } from '@jupyterlab/galata';

import {
  notebookText,
  openNotebook,
  PANEL,
  ROOT,
  Server,
  writeRootFile,
  type IRun
} from './workspace';

const SHOWN = 60_000;

test('cells of a notebook are tracked, and seen at once', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('from-cells', 'tries');
  const gate = join(ROOT, `${tmpPath}-gate`);
  await page.contents.uploadContent(
    notebookText(
      { source: '%load_ext mlws' },
      {
        source: [
          '%%mlws_run --experiment from-cells --name in-a-cell',
          'import os, time, mlws',
          'mlws.log_param("rate", 0.5)',
          'for i in range(4):',
          '    mlws.log_metric("score", i / 4, step=i)',
          `while not os.path.exists(${JSON.stringify(gate)}):`,
          '    time.sleep(0.05)'
        ].join('\n')
      },
      {
        source: [
          'with mlws.start_run(name="by-hand") as run:',
          '    mlws.log_metric("score", 0.9)',
          '    mlws.log_text("hello", "greeting.txt")'
        ].join('\n')
      },
      { source: '%mlws list tries' }
    ),
    'text',
    `${tmpPath}/tries.ipynb`
  );
  await page.sidebar.openTab(PANEL);
  const panel = page.locator(`#${PANEL}`);
  await openNotebook(page, `${tmpPath}/tries.ipynb`);
  await page.notebook.activate('tries.ipynb');
  await page.notebook.runCell(0);

  // While the cell runs its run is in the sidebar, below its experiment.
  await page.notebook.selectCells(1);
  await page.keyboard.press('Shift+Enter');
  const head = panel.getByRole('treeitem', { name: /^from-cells/ });
  await expect(head).toBeVisible({ timeout: SHOWN });
  if ((await head.getAttribute('aria-expanded')) !== 'true') {
    await head.click();
  }
  const row = panel.getByRole('treeitem', { name: /in-a-cell/ });
  await expect(row).toContainText('Running', { timeout: SHOWN });
  await writeRootFile(`${tmpPath}-gate`, '');
  await expect(row).toContainText('Completed', { timeout: SHOWN });
  await expect(row.locator('.jp-mlws-tree-value')).toHaveText('0.75');
  const tracked = await server.latestRun('from-cells');
  expect(tracked.params).toEqual({ rate: '0.5' });
  expect(tracked.metrics['score']?.last).toBe(0.75);

  // Without a name the notebook's own is the experiment.
  await page.notebook.runCell(2);
  const own = panel.getByRole('treeitem', { name: /^tries/ });
  await expect(own).toBeVisible({ timeout: SHOWN });
  const byHand = await server.latestRun('tries');
  expect(byHand.name).toBe('by-hand');
  await page.notebook.runCell(3);
  await expect(
    page.locator('.jp-OutputArea-output').getByText('by-hand').first()
  ).toBeVisible();

  // The run's page: what it logged, and the notebook it came from.
  if ((await own.getAttribute('aria-expanded')) !== 'true') {
    await own.click();
  }
  await panel.getByRole('treeitem', { name: /by-hand/ }).click();
  const view = page.locator(`#jp-mlws-runs-${byHand.id}`);
  await view.getByRole('tab', { name: 'Outputs' }).click();
  await expect(view.locator('.jp-mlws-file')).toContainText('hello');
  await view.getByRole('tab', { name: 'Snapshot' }).click();
  await expect(
    view.getByRole('treeitem', { name: /^tries.ipynb/ })
  ).toBeVisible();
  const { entries } = await server.get<{ entries: { path: string }[] }>(
    `/runs/${byHand.id}/snapshot`
  );
  expect(entries.map(({ path }) => path)).toContain('tries.ipynb');
  const { lifecycle } = await server.get<IRun>(`/runs/${byHand.id}`);
  expect(lifecycle).toBe('active');
});
