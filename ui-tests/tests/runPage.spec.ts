import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';

import {
  expectAccessible,
  notebookText,
  ROOT,
  Server,
  writeRootFile
} from './workspace';

const API = 'mlws/api/v1';

interface IRun {
  id: string;
  name: string;
  status: string;
  lifecycle: string;
  params: Record<string, string>;
  metrics: Record<string, { last: number }>;
}

const cell = (source: string, tags: string[] = []): object => ({
  cell_type: 'code',
  source,
  metadata: { tags },
  outputs: [],
  execution_count: null
});

const NOTEBOOK = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 4,
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3' } },
  cells: [
    cell('epochs = 5  # how long\nfail = False', ['parameters']),
    cell(
      [
        'import time, mlws',
        'run = mlws.start_run()',
        'for e in range(epochs):',
        "    mlws.log_metric('train/loss', 1 / (e + 1), step=e)",
        "    print(f'\\x1b[32mepoch\\x1b[0m {e}')",
        '    time.sleep(0.2)'
      ].join('\n')
    ),
    cell(
      [
        'import os',
        'from IPython.display import HTML',
        "os.makedirs('outputs', exist_ok=True)",
        "open('outputs/table.csv', 'w').write('a,b\\n1,<b>x</b>\\n')",
        'HTML(\'<img src="x" onerror="window.hacked = true"><b>drawn</b>\')'
      ].join('\n')
    ),
    cell("if fail:\n    raise ValueError('diverged')")
  ]
});

/** Submits the notebook, as the dialog does. */
async function submit(
  page: IJupyterLabPageFixture,
  folder: string,
  parameters: object,
  name: string
): Promise<IRun> {
  const path = `${folder}/train.ipynb`;
  await page.contents.uploadContent(NOTEBOOK, 'text', path);
  const reply = await page.request.post(`${API}/workspaces/default/jobs`, {
    data: {
      spec: { kind: 'notebook', notebook: path, parameters },
      experiment: 'run page',
      name,
      note: '**note** <img src="x" onerror="window.hacked = true">'
    }
  });
  expect(reply.status(), await reply.text()).toBe(201);
  return ((await reply.json()) as { run: IRun }).run;
}

async function readRun(
  page: IJupyterLabPageFixture,
  id: string
): Promise<IRun> {
  return (await (await page.request.get(`${API}/runs/${id}`)).json()) as IRun;
}

/** Opens a run by its address, as the CLI prints it. */
async function open(page: IJupyterLabPageFixture, id: string): Promise<void> {
  await page.evaluate(
    address =>
      window.jupyterapp.commands.execute('jupyter-mlws:open-page', { address }),
    `runs/${id}`
  );
  await page.locator(`#jp-mlws-runs-${id} .jp-mlws-run-name`).waitFor();
}

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`a run from its start to its files (${theme})`, async ({
    page,
    tmpPath
  }, info) => {
    await page.theme.setTheme(theme);
    const { id } = await submit(page, tmpPath, { epochs: 60 }, 'watched');
    await open(page, id);
    const run = page.locator(`#jp-mlws-runs-${id}`);
    const tab = async (name: string): Promise<void> => {
      await run.getByRole('tab', { name }).click();
    };

    await tab('Logs');
    await expect(run.getByRole('log')).toContainText('epoch 3');
    await expect(run.getByRole('progressbar')).toBeVisible();
    await tab('Notebook');
    await expect(run.locator('.jp-mlws-cell-running')).toHaveCount(1);
    await expect(run.locator('[data-status=Completed]')).toBeVisible({
      timeout: 60_000
    });
    await expect(run.locator('.jp-mlws-cell-running')).toHaveCount(0);
    await expect(
      run.locator('.jp-OutputArea').getByText('drawn')
    ).toBeAttached();

    const truth = await readRun(page, id);
    await tab('Overview');
    await expect(run.getByRole('row', { name: /^epochs/ })).toContainText(
      truth.params['epochs'] ?? '?'
    );
    // Four digits are seen, all of them on hover.
    await expect(
      run
        .getByRole('row', { name: /^train\/loss/ })
        .getByTitle(String(truth.metrics['train/loss']?.last))
        .first()
    ).toBeVisible();
    await expect(run.locator('.jp-mlws-markdown strong')).toHaveText('note');

    for (const name of [
      'Overview',
      'Metrics',
      'Logs',
      'Notebook',
      'Snapshot',
      'Outputs'
    ]) {
      await tab(name);
      await expect(run.locator('.jp-mlws-skeleton')).toHaveCount(0);
      // The Lab draws the cells: they are not ours to judge.
      await expectAccessible(page, `#jp-mlws-runs-${id}`, [
        '.jp-mlws-notebook-host'
      ]);
      await page.screenshot({ path: info.outputPath(`run-${name}.png`) });
    }
    await run.getByRole('treeitem', { name: 'table.csv' }).click();
    await expect(run.getByRole('grid')).toContainText('<b>x</b>');
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  });
}

test('a failed run shows its cell; another parameter mends it', async ({
  page,
  tmpPath
}) => {
  const { id } = await submit(
    page,
    tmpPath,
    { epochs: 1, fail: true },
    'broken'
  );
  await open(page, id);
  const run = page.locator(`#jp-mlws-runs-${id}`);
  await expect(run.getByRole('alert')).toContainText('ValueError: diverged', {
    timeout: 60_000
  });
  await run.getByRole('button', { name: 'Show the cell' }).click();
  await expect(run.locator('.jp-mlws-cell-failed')).toBeVisible();

  await run.getByRole('button', { name: 'Edit and re-run…' }).click();
  const form = run.getByRole('form', { name: 'Edit and re-run' });
  await expect(
    form.getByRole('combobox', { name: 'Experiment' })
  ).toBeFocused();
  await run.getByLabel('epochs', { exact: true }).fill('many');
  await expect(run.getByText('A number is needed here')).toBeVisible();
  await run.getByLabel('epochs', { exact: true }).fill('2');
  // What the run had, and not what the notebook says.
  const fail = form.getByRole('checkbox', { name: 'fail' });
  await expect(fail).toBeChecked();
  await fail.uncheck();
  await expect(form.getByText('2 changed')).toBeVisible();
  await run.getByLabel('Run name').fill('mended');
  await run.getByLabel('Run name').press('Control+Enter');
  const next = page.locator('.jp-mlws-run:visible', {
    has: page.getByRole('heading', { name: 'mended' })
  });
  await expect(next.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: 60_000
  });
  await expect(next.getByRole('row', { name: /^epochs/ })).toContainText('2');

  // And the same once more, at one press.
  await next.getByRole('button', { name: 'Re-run', exact: true }).click();
  const again = page.locator('.jp-mlws-run:visible', {
    hasNot: page.getByRole('heading', { name: 'mended', exact: true })
  });
  await expect(again.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: 60_000
  });
  await expect(again.getByRole('row', { name: /^epochs/ })).toContainText('2');
});

test('rename, delete and undo, cancel', async ({ page, tmpPath }) => {
  const { id } = await submit(page, tmpPath, { epochs: 500 }, 'long');
  await open(page, id);
  const run = page.locator(`#jp-mlws-runs-${id}`);
  await run.getByRole('button', { name: 'Rename', exact: true }).click();
  await run.getByLabel('Name of the run').fill('longer');
  await run.getByLabel('Name of the run').press('Enter');
  await expect(run.getByRole('heading', { name: 'longer' })).toBeVisible();
  await expect(
    run.getByRole('button', { name: 'Rename', exact: true })
  ).toBeFocused();
  await expect.poll(async () => (await readRun(page, id)).name).toBe('longer');
  await expect(run.locator('[data-status=Running]').first()).toBeVisible({
    timeout: 30_000
  });
  await run.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(run.locator('[data-status=Canceled]').first()).toBeVisible({
    timeout: 60_000
  });
  await run.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(run.getByText('This run is in the bin.')).toBeVisible();
  const lifecycle = async () => (await readRun(page, id)).lifecycle;
  await expect.poll(lifecycle).toBe('deleted');
  await run.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(run.getByText('This run is in the bin.')).toBeHidden();
  await expect.poll(lifecycle).toBe('active');
});

test('an address opens the page once, and then leaves the browser’s bar', async ({
  page,
  tmpPath,
  baseURL
}) => {
  const { id } = await submit(page, tmpPath, { epochs: 1 }, 'addressed');
  // A window of its own, as a colleague has it; Galata's goto would wait for the launcher.
  const tab = await page.context().newPage();
  await tab.goto(`${baseURL}/lab?mlws=runs/${id}`);
  await expect(tab.getByRole('heading', { name: 'addressed' })).toBeVisible({
    timeout: 60_000
  });
  expect(tab.url()).not.toContain('mlws=');
  await tab.close();
});

/** What the server keeps of where a run ran. */
interface IEnvironment {
  kernel_display_name: string;
  language: string;
  language_version: string;
  executable: string;
  platform: string;
  packages: Record<string, string>;
  git: { commit: string; branch: string; patch: string };
}

test('the overview tells where it ran and from which commit, and keeps tags', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', join(ROOT, tmpPath), ...args], {
      encoding: 'utf8'
    }).trim();
  await writeRootFile(`${tmpPath}/lib.py`, 'WIDTH = 64\n');
  await writeRootFile(`${tmpPath}/kept.ipynb`, notebookText({ source: '1' }));
  git('init', '--quiet', '--initial-branch=trunk');
  git('add', '.');
  const me = ['-c', 'user.name=me', '-c', 'user.email=me@localhost'];
  git(...me, 'commit', '--quiet', '--message=first');
  await writeRootFile(`${tmpPath}/lib.py`, 'WIDTH = 128\n');
  const { id } = await server.submit(`${tmpPath}/kept.ipynb`, 'committed');
  await open(page, id);
  const run = page.locator(`#jp-mlws-runs-${id}`);
  await expect(run.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: 60_000
  });

  const env = await server.get<IEnvironment>(`/runs/${id}/environment`);
  const about = run.getByRole('region', { name: 'About' });
  for (const [label, value] of [
    ['Kernel', env.kernel_display_name],
    ['Language', `${env.language} ${env.language_version}`],
    ['Platform', env.platform]
  ]) {
    await expect(
      about
        .locator('dl > div')
        .filter({ has: page.getByText(label, { exact: true }) })
        .getByRole('definition')
    ).toHaveText(value);
  }
  await expect(about.getByTitle(env.executable)).toBeVisible();

  expect(env.git).toMatchObject({
    commit: git('rev-parse', 'HEAD'),
    branch: 'trunk'
  });
  await expect(about.getByTitle(env.git.commit)).toHaveText(
    env.git.commit.slice(0, 8)
  );
  await expect(about.getByTitle('trunk')).toBeVisible();
  await about.getByRole('button', { name: 'with changes' }).click();
  await expect(about.locator('[data-kind=delete]')).toContainText('WIDTH = 64');
  await expect(about.locator('[data-kind=add]')).toContainText('WIDTH = 128');

  const packages = run.getByRole('region', { name: 'Packages' });
  await packages.getByLabel('Filter packages').fill('ipykernel');
  await expect(packages.getByRole('listitem')).toHaveText([
    `ipykernel${env.packages['ipykernel']}`
  ]);

  const tags = run.getByRole('region', { name: 'Tags' });
  const stored = async (): Promise<Record<string, string>> =>
    (await server.get<{ tags: Record<string, string> }>(`/runs/${id}`)).tags;
  await tags.getByLabel('Add a tag').fill('team = vision');
  await tags.getByLabel('Add a tag').press('Enter');
  await expect(tags.getByText('team=vision')).toBeVisible();
  await expect.poll(stored).toMatchObject({ team: 'vision' });
  await tags.getByRole('button', { name: 'Remove tag team' }).click();
  await expect(tags.getByText('team=vision')).toBeHidden();
  await expect.poll(stored).not.toHaveProperty('team');
});

test('chart and header follow a job that runs, and nothing moves', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  const gate = join(ROOT, `${tmpPath}-gate`);
  await writeRootFile(
    `${tmpPath}/live.ipynb`,
    notebookText({
      source: [
        'import os, time, mlws',
        'mlws.log_metric("loss", 0.5, step=0)',
        'mlws.log_metric("loss", 0.25, step=1)',
        `while not os.path.exists(${JSON.stringify(gate)}):`,
        '    time.sleep(0.05)',
        'mlws.log_metric("loss", 0.125, step=2)',
        `while not os.path.exists(${JSON.stringify(`${gate}-end`)}):`,
        '    time.sleep(0.05)'
      ].join('\n')
    })
  );
  const { id } = await server.submit(`${tmpPath}/live.ipynb`, 'live');
  await open(page, id);
  const run = page.locator(`#jp-mlws-runs-${id}`);
  const tab = run.getByRole('tab', { name: /^Metrics/ });
  const { y } = (await tab.boundingBox())!;
  await tab.click();
  const chart = run.locator('.jp-mlws-metric', { hasText: 'loss' });
  const last = chart.locator('.jp-mlws-metric-head .jp-mlws-number');
  await expect(last).toHaveText('0.25', { timeout: 60_000 });

  // Under the pointer at its right end is the newest point.
  const readout = chart.locator('.jp-mlws-chart-readout');
  const atTheEnd = async (): Promise<void> => {
    const { width, height } = (await chart.locator('.u-over').boundingBox())!;
    await chart
      .locator('.u-over')
      .hover({ position: { x: width - 2, y: height / 2 } });
  };
  await atTheEnd();
  await expect(readout).toHaveText('10.25');
  const canvas = await chart.locator('canvas').elementHandle();

  await writeRootFile(`${tmpPath}-gate`, '');
  await expect(last).toHaveText('0.125', { timeout: 60_000 });
  await atTheEnd();
  await expect(readout).toHaveText('20.125');
  const head = run.locator('.jp-mlws-head-metric');
  await expect(head).toContainText('0.125');
  await expect(run.locator('.jp-mlws-run-facts')).toContainText('Running');
  await writeRootFile(`${tmpPath}-gate-end`, '');
  await expect(run.locator('.jp-mlws-run-facts')).toContainText('Completed', {
    timeout: 60_000
  });
  expect((await tab.boundingBox())!.y).toBe(y);
  // It is the same drawing, with one more point.
  expect(await canvas?.evaluate(node => node.isConnected)).toBe(true);
  const { metrics } = await server.get<{ metrics: { key: string }[] }>(
    `/runs/${id}/metrics`
  );
  const own = metrics.filter(({ key }) => !key.startsWith('system/'));
  expect(own).toMatchObject([{ key: 'loss', last: 0.125, count: 3 }]);
});
