import { join } from 'node:path';

import { expect, test } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import {
  DOC_SHOTS,
  docFolder,
  expectAccessible,
  notebookText,
  openNotebook,
  PANEL,
  pressRun,
  ROOT,
  Server,
  writeRootFile,
  type IRun
} from './workspace';

const SHOWN = 30_000;
test.use(docFolder);

const SCORES = ['0.5', '0.75', '0.625'];

test('experiments are steered from the sidebar', async ({
  page,
  request,
  baseURL,
  tmpPath
}, testInfo) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('scores');
  await page.contents.uploadContent(
    notebookText(
      { source: 'score = 0.5', tags: ['parameters'] },
      { source: 'import mlws\nmlws.log_metric("score", score)' }
    ),
    'text',
    `${tmpPath}/scores.ipynb`
  );
  await page.sidebar.openTab(PANEL);
  const panel = page.locator(`#${PANEL}`);
  for (const score of SCORES) {
    await openNotebook(page, `${tmpPath}/scores.ipynb`);
    const dialog = await pressRun(page);
    await dialog.getByLabel('score', { exact: true }).fill(score);
    await dialog.getByLabel('Run name').fill(`score-${score}`);
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(
      panel.getByRole('treeitem', { name: new RegExp(`score-${score}`) })
    ).toContainText('Completed', { timeout: SHOWN });
  }
  const head = panel.getByRole('treeitem', { name: /scores/ }).first();
  await expect(head).toContainText('3 runs');

  // A goal makes one of them the best.
  await page.menu.openContextMenu(
    `#${PANEL} .jp-mlws-tree-experiment:has-text("scores")`
  );
  await page.getByRole('menuitem', { name: 'Set Goal…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Metric').fill('score');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(head).toContainText('0.75');
  const best = panel.getByRole('treeitem', { name: /score-0.75/ });
  await expect(best.getByRole('img', { name: 'Best run' })).toBeVisible();
  const { experiments } = await server.get<{
    experiments: { name: string; best: { value: number } | null }[];
  }>('/workspaces/default/experiments?q=scores');
  expect(experiments.find(({ name }) => name === 'scores')?.best?.value).toBe(
    0.75
  );
  await expectAccessible(page, `#${PANEL}`);
  await page.screenshot({ path: testInfo.outputPath('tree.png') });
  if (DOC_SHOTS) {
    await page.sidebar.setWidth(360, 'left');
    await page.screenshot({ path: '../docs/images/sidebar.png' });
  }

  // Keys: the filter, the rows, a new name.
  await best.focus();
  await page.keyboard.press('/');
  await page.keyboard.type('score-0.6');
  await expect(
    panel.getByRole('treeitem', { name: /score-0.625/ })
  ).toBeVisible();
  await expect(best).toBeHidden();
  await page.keyboard.press('Escape');
  await best.focus();
  await page.keyboard.press('ArrowUp');
  await expect(
    panel.getByRole('treeitem', { name: /score-0.625/ })
  ).toBeFocused();
  await page.keyboard.press('F2');
  await page.keyboard.type('renamed');
  await page.keyboard.press('Enter');
  const renamed = panel.getByRole('treeitem', { name: /renamed/ });
  await expect(renamed).toBeVisible();
  // The page shows the new name before the server has it.
  await expect
    .poll(async () => (await server.latestRun('scores')).name)
    .toBe('renamed');

  // To the bin and back.
  await renamed.focus();
  await page.keyboard.press('Delete');
  await expect(renamed).toBeHidden();
  await expect(head).toContainText('2 runs');
  await page
    .locator('.Toastify__toast')
    .getByRole('button', { name: 'Undo' })
    .click();
  await expect(renamed).toBeVisible();
  await expect(head).toContainText('3 runs');

  // What was unfolded is so after a reload.
  await page.waitForTimeout(1000);
  await page.reload({ waitForIsReady: false });
  await page.sidebar.openTab(PANEL);
  await expect(panel.getByRole('treeitem', { name: /renamed/ })).toBeVisible({
    timeout: SHOWN
  });

  // Archived and restored.
  await page.menu.openContextMenu(
    `#${PANEL} .jp-mlws-tree-experiment:has-text("scores")`
  );
  await page.getByRole('menuitem', { name: 'Archive Experiment' }).click();
  await expect(head).toBeHidden();
  await panel.getByRole('button', { name: 'Archive, bin and more' }).click();
  await page.getByRole('menuitem', { name: 'Archived Experiments' }).click();
  await expect(
    panel.getByRole('treeitem', { name: /scores/ }).first()
  ).toBeVisible();
  await page.menu.openContextMenu(
    `#${PANEL} .jp-mlws-tree-experiment:has-text("scores")`
  );
  await page.getByRole('menuitem', { name: 'Restore Experiment' }).click();
  await expect(panel.getByText('No experiment is archived.')).toBeVisible();
  await panel.getByRole('button', { name: 'Back to the experiments' }).click();
  await expect(head).toBeVisible();
});

test('a run is canceled, run again and deleted for ever by its menu', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.dropExperiments('steered');
  const gate = join(ROOT, `${tmpPath}-gate`);
  await writeRootFile(
    `${tmpPath}/steered.ipynb`,
    notebookText({
      source: [
        'import os, time',
        `while not os.path.exists(${JSON.stringify(gate)}):`,
        '    time.sleep(0.05)'
      ].join('\n')
    })
  );
  const { id } = await server.submit(`${tmpPath}/steered.ipynb`, 'waits');
  await page.sidebar.openTab(PANEL);
  const panel = page.locator(`#${PANEL}`);
  const head = panel.getByRole('treeitem', { name: /^steered/ });
  await head.waitFor();
  if ((await head.getAttribute('aria-expanded')) !== 'true') {
    await head.click();
  }
  const row = (run: string): string => `#${PANEL} [data-mlws-run="${run}"]`;
  const item = (name: string): Locator =>
    page.getByRole('menuitem', { name, exact: true });

  // What runs can be canceled, what has ended can be run again.
  await expect(page.locator(row(id))).toContainText('Running', {
    timeout: SHOWN
  });
  await page.menu.openContextMenu(row(id));
  await expect(item('Re-run')).toHaveCount(0);
  await item('Cancel Run').click();
  await expect(page.locator(row(id))).toContainText('Canceled', {
    timeout: SHOWN
  });
  expect((await server.get<IRun>(`/runs/${id}`)).status).toBe('Canceled');
  await writeRootFile(`${tmpPath}-gate`, '');
  await page.menu.openContextMenu(row(id));
  await expect(item('Cancel Run')).toHaveCount(0);
  await item('Re-run').click();
  await expect(head).toContainText('2 runs');
  const again = await server.latestRun('steered');
  expect(again.id).not.toBe(id);
  await expect(page.locator(row(again.id))).toContainText('Completed', {
    timeout: SHOWN
  });
  await expect(page.locator(row(again.id))).toHaveAttribute(
    'aria-selected',
    'true'
  );
  await expect(page.locator(`#jp-mlws-runs-${again.id}`)).toBeVisible();

  // By way of the bin, where its name is asked for.
  await page.menu.openContextMenu(row(id));
  await item('Move to Bin (Delete)').click();
  await expect(page.locator(row(id))).toHaveCount(0);
  expect((await server.get<IRun>(`/runs/${id}`)).lifecycle).toBe('deleted');
  await panel.getByRole('button', { name: 'Archive, bin and more' }).click();
  await item('Bin').click();
  await page.menu.openContextMenu(row(id));
  await item('Delete for Ever…').click();
  const dialog = page.getByRole('dialog');
  const forEver = dialog.getByRole('button', { name: 'Delete for ever' });
  await expect(forEver).toBeDisabled();
  await dialog.getByLabel('Type “waits” to confirm').fill('waits');
  await forEver.click();
  await expect(dialog).toHaveCount(0);
  await expect(page.locator(row(id))).toHaveCount(0);
  await expect(server.get(`/runs/${id}`)).rejects.toThrow('404');
  await panel.getByRole('button', { name: 'Back to the experiments' }).click();
  await expect(head).toContainText('1 run');
});
