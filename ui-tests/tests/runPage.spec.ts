import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';

import { expectAccessible } from './workspace';

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
  await run.getByLabel('epochs').fill('many');
  await expect(run.getByText('A number is needed here')).toBeVisible();
  await run.getByLabel('epochs').fill('2');
  await run.getByLabel('fail').fill('False');
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
  expect((await readRun(page, id)).name).toBe('longer');
  await expect(run.locator('[data-status=Running]').first()).toBeVisible({
    timeout: 30_000
  });
  await run.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(run.locator('[data-status=Canceled]').first()).toBeVisible({
    timeout: 60_000
  });
  await run.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(run.getByText('This run is in the bin.')).toBeVisible();
  expect((await readRun(page, id)).lifecycle).toBe('deleted');
  await run.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(run.getByText('This run is in the bin.')).toBeHidden();
  expect((await readRun(page, id)).lifecycle).toBe('active');
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
