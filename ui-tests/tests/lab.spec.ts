import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test, type Locator, type Page } from '@playwright/test';

import {
  labIsReady,
  notebookText,
  openLab,
  openPage,
  PANEL,
  ROOT,
  Server,
  writeRootFile,
  type IRun
} from './workspace';

const SHOWN = 60_000;
const GB = 1024 ** 3;

/** What the sidebar keeps in the Lab's workspace. */
interface ISidebarMemory {
  expanded: string[];
  seen: string[];
}

const panelOf = (lab: Page): Locator => lab.locator(`#${PANEL}`);

/** Runs "Run as experiment" for a notebook and waits for the form. */
async function openForm(lab: Page, path: string): Promise<Locator> {
  await lab.evaluate(notebook => {
    void window.jupyterapp.commands.execute('jupyter-mlws:run-as-experiment', {
      path: notebook
    });
  }, path);
  const form = lab.getByRole('form', { name: 'Run as experiment' });
  await expect(form.getByText(/^Snapshot:/)).toBeVisible({ timeout: SHOWN });
  return form;
}

/** Fills a field of the settings editor and waits until the server has it. */
async function setSetting(
  lab: Page,
  change: (form: Locator) => Promise<void>,
  stored: () => Promise<boolean>
): Promise<void> {
  await panelOf(lab)
    .getByRole('button', { name: 'Archive, bin and more' })
    .click();
  await lab.getByRole('menuitem', { name: 'Settings Editor' }).click();
  const form = lab.locator('.jp-SettingsForm');
  await expect(form).toBeVisible();
  await change(form);
  await expect.poll(stored, { timeout: SHOWN }).toBe(true);
}

test('the sidebar, the launcher and the palette lead to the first run', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.freshWorkspace('first-look');
  const runOf = (experiment: string): Promise<IRun> =>
    server.makeRun({
      workspace: 'first-look',
      experiment,
      name: `run of ${experiment}`,
      metrics: { loss: [2, 1] }
    });
  await runOf('older');
  const latest = await runOf('newest');
  const lab = await openLab(context, `${baseURL}/lab/workspaces/look?reset`);
  const panel = panelOf(lab);

  // Cards of the launcher.
  const launcher = lab.locator('.jp-Launcher');
  await launcher.getByText('Experiments', { exact: true }).click();
  await expect(panel).toBeVisible();
  await launcher.getByText('Run a Notebook', { exact: true }).click();
  const chooser = lab.getByRole('dialog');
  await expect(chooser).toContainText('Which notebook should run?');
  await chooser.getByRole('button', { name: 'Cancel' }).click();

  // Nobody has unfolded anything: the newest experiment shows its runs.
  await openPage(lab, 'workspaces/first-look');
  await expect(
    panel.getByRole('treeitem', { name: /run of newest/ })
  ).toBeVisible();
  const newest = panel.getByRole('treeitem', { name: /^newest/ });
  await expect(panel.getByRole('treeitem', { name: /^older/ })).toHaveAttribute(
    'aria-expanded',
    'false'
  );
  await newest.click();
  await expect(newest).toHaveAttribute('aria-expanded', 'false');
  // Who has folded it finds it folded.
  const kept = async (): Promise<ISidebarMemory | undefined> => {
    const reply = await request.get(`${baseURL}/lab/api/workspaces/look`);
    const { data } = (await reply.json()) as {
      data: { 'jupyter-mlws:sidebar'?: ISidebarMemory };
    };
    return data['jupyter-mlws:sidebar'];
  };
  await expect
    .poll(
      async () => {
        const memory = await kept();
        return (
          memory?.seen.includes('first-look') &&
          !memory.expanded.includes(latest.experiment_id)
        );
      },
      { timeout: SHOWN }
    )
    .toBe(true);
  await lab.reload();
  await labIsReady(lab);
  await expect(newest).toBeVisible();
  await expect(newest).toHaveAttribute('aria-expanded', 'false');

  // Entries of the palette.
  await lab.keyboard.press('Control+KeyB');
  await expect(panel).toBeHidden();
  const search = async (words: string): Promise<Locator> => {
    await lab.keyboard.press('Control+Shift+KeyC');
    const palette = lab.locator('#modal-command-palette');
    await palette.locator('input').fill(words);
    return palette;
  };
  let palette = await search('ml workspace');
  for (const entry of [
    'Show ML Experiments',
    'Manage ML Workspaces',
    'Run a Notebook'
  ]) {
    await expect(palette.getByText(entry, { exact: true })).toBeVisible();
  }
  // No notebook is in front.
  await expect(
    palette.getByText('Run Notebook as Experiment…', { exact: true })
  ).toBeHidden();
  await palette.getByText('Manage ML Workspaces', { exact: true }).click();
  await expect(
    lab.locator('#jp-mlws-workspaces').getByRole('heading', {
      name: 'first-look'
    })
  ).toBeVisible();
  palette = await search('show ml');
  await palette.getByText('Show ML Experiments', { exact: true }).click();
  await expect(panel).toBeVisible();
  await lab.close();
});

test('settings and questions of the form', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const settings = async (): Promise<string> =>
    (
      (await (
        await request.get(`${baseURL}/lab/api/settings/jupyter-mlws:settings`)
      ).json()) as { raw: string }
    ).raw;
  await server.freshWorkspace('set');
  for (const name of ['one', 'two', 'three', 'four']) {
    await server.makeRun({ workspace: 'set', experiment: 'some', name });
  }
  // A folder that git does not know, with more than 1 GB in it; the file has a size, but no blocks on the disk.
  await writeRootFile('large/.git/HEAD', 'ref: refs/heads/main\n');
  const text = notebookText({ source: 'x = 1', tags: ['parameters'] });
  await writeRootFile('large/big.ipynb', text);
  let file: FileHandle | undefined;
  try {
    file = await open(join(ROOT, 'large/weights.bin'), 'w');
    await file.truncate(2 * GB);
  } finally {
    await file?.close();
  }
  const lab = await openLab(context, `${baseURL}/lab/workspaces/set?reset`);
  const panel = panelOf(lab);
  await openPage(lab, 'workspaces/set');
  const runs = panel.locator('.jp-mlws-tree-run');
  await expect(runs).toHaveCount(4);

  // More than 1 GB is asked about first.
  let form = await openForm(lab, 'large/big.ipynb');
  await expect(form.getByText(/^Snapshot:/)).toContainText('2 GiB');
  const run = form.getByRole('button', { name: 'Run', exact: true });
  await expect(run).toBeDisabled();
  await form.getByLabel('Take this snapshot').check();
  await expect(run).toBeEnabled();
  await form.getByLabel('Take this snapshot').uncheck();
  await expect(run).toBeDisabled();
  await form.getByRole('button', { name: 'Cancel' }).click();

  // The settings, as people reach them.
  await setSetting(
    lab,
    async editor => {
      await editor.getByRole('spinbutton').fill('2');
      await editor.getByLabel('Confirm large snapshots').uncheck();
      await editor.getByLabel('Notify when my jobs end').uncheck();
    },
    async () => {
      const raw = await settings();
      return ['sidebarRuns', 'confirmLarge', 'notifyWhen'].every(key =>
        raw.includes(key)
      );
    }
  );
  await panel.getByRole('treeitem', { name: /^some/ }).click();
  await panel.getByRole('treeitem', { name: /^some/ }).click();
  await expect(runs).toHaveCount(2);
  await expect(panel.getByText('… 2 more')).toBeVisible();
  form = await openForm(lab, 'large/big.ipynb');
  await expect(form.getByLabel('Take this snapshot')).toHaveCount(0);
  await expect(run).toBeEnabled();
  await form.getByRole('button', { name: 'Cancel' }).click();

  // A job ends, and no notification tells of it.
  await writeRootFile('quiet/quiet.ipynb', text);
  form = await openForm(lab, 'quiet/quiet.ipynb');
  await form.getByLabel('Run name').fill('quiet-run');
  await run.click();
  await expect(
    panel.getByRole('treeitem', { name: /quiet-run/ })
  ).toContainText('Completed', { timeout: SHOWN });
  await lab.waitForTimeout(1500);
  await expect(
    lab.locator('.Toastify__toast', { hasText: 'quiet-run' })
  ).toHaveCount(0);
  const put = await request.put(
    `${baseURL}/lab/api/settings/jupyter-mlws:settings`,
    { data: { raw: '{}' } }
  );
  expect(put.ok()).toBe(true);
  await lab.close();
});
