import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test, type Locator, type Page } from '@playwright/test';

import {
  notebookText,
  openLab,
  openPage,
  ROOT,
  Server,
  writeRootFile,
  type IRun
} from './workspace';

const SHOWN = 60_000;
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const LINES = 400;

/** Leaves files of each kind that the page can show, and waits wherever a test wants to look first. */
const NOTEBOOK = notebookText(
  { tags: ['parameters'], source: 'gates = ""' },
  {
    source: [
      'import base64, json, os, time, mlws',
      'def gate(name):',
      '    while gates and not os.path.exists(f"{gates}/{name}"):',
      '        time.sleep(0.05)',
      "os.makedirs('outputs', exist_ok=True)",
      "open('outputs/a-model.bin', 'wb').write(bytes(range(256)))",
      `open('outputs/plot.png', 'wb').write(base64.b64decode('${PICTURE}'))`,
      "json.dump({'layers': [64, 32]}, open('outputs/config.json', 'w'))",
      "open('outputs/notes.txt', 'w').write('first line\\nsecond line\\n')",
      "open('outputs/scores.csv', 'w').write('epoch,score\\n' + ''.join(f'{i},{i / 8}\\n' for i in range(8)))"
    ].join('\n')
  },
  {
    source: [
      `for i in range(${LINES}):`,
      `    if i == ${LINES / 2}:`,
      '        gate("lines")',
      "    print(f'line {i} ' + ('needle' if i % 100 == 7 else ''))",
      "    mlws.log_metric('loss', 1 / (i + 1), step=i)",
      "    mlws.log_metric('odd', float('nan') if i == 3 else i, step=i)"
    ].join('\n')
  },
  ...Array.from({ length: 8 }, (_, i) => ({
    source: `gate("cell ${i}")\nfor j in range(30):\n    print('cell ${i}', j)`
  }))
);

/** Lets the job go on. */
async function open(folder: string, ...gates: string[]): Promise<void> {
  for (const gate of gates) {
    await writeRootFile(`${folder}-gates/${gate}`, '');
  }
}

/** Submits it in a repository of its own and opens its page. */
async function start(
  server: Server,
  lab: Page,
  folder: string,
  parameters: object = {}
): Promise<{ run: IRun; view: Locator }> {
  await writeRootFile(`${folder}/train.ipynb`, NOTEBOOK);
  await writeRootFile(`${folder}/lib/model.py`, 'WIDTH = 64\nDEPTH = 2\n');
  // The folder of all tests is ignored by the repository around it.
  execFileSync('git', ['init', '--quiet', join(ROOT, folder)]);
  const path = `${folder}/train.ipynb`;
  const run = await server.submit(path, folder, parameters);
  await openPage(lab, `runs/${run.id}`);
  const view = lab.locator(`#jp-mlws-runs-${run.id}`);
  await expect(view.getByRole('heading', { name: folder })).toBeVisible();
  return { run, view };
}

const top = (element: Locator): Promise<number> =>
  element.evaluate(node => node.getBoundingClientRect().top);

test('a running job is watched: its log, its curves, its notebook', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const lab = await openLab(context, `${baseURL}/lab/workspaces/watch?reset`);
  const { run, view } = await start(server, lab, 'watched', {
    gates: join(ROOT, 'watched-gates')
  });

  // The log follows; who scrolls up stays where he is, while lines come.
  await view.getByRole('tab', { name: 'Logs' }).click();
  const log = view.getByRole('log');
  const follow = view.getByRole('button', { name: 'Follow' });
  await expect(log).toContainText(`line ${LINES / 2 - 1}`, { timeout: SHOWN });
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  await log.hover();
  await lab.mouse.wheel(0, -400);
  await expect(follow).toHaveAttribute('aria-pressed', 'false');
  // The wheel scrolls in its own time.
  await expect
    .poll(() =>
      log.evaluate(
        node => node.scrollHeight - node.scrollTop - node.clientHeight
      )
    )
    .toBeGreaterThan(300);
  await lab.waitForTimeout(300);
  const place = await log.evaluate(node => node.scrollTop);
  const height = await log.evaluate(node => node.scrollHeight);
  await open('watched', 'lines');
  await expect
    .poll(() => log.evaluate(node => node.scrollHeight))
    .toBeGreaterThan(height);
  expect(await log.evaluate(node => node.scrollTop)).toBe(place);
  await follow.click();
  await expect(log).toContainText(`line ${LINES - 1}`, { timeout: SHOWN });

  // The search goes from the last match to those before it, and round.
  const search = view.getByRole('searchbox', { name: 'Search the log' });
  await search.fill('needle');
  const count = view.locator('.jp-mlws-search-count');
  await expect(count).toHaveText('4/4');
  await expect(log.locator('mark[data-current]')).toHaveText('needle');
  await search.press('Shift+Enter');
  await expect(count).toHaveText('3/4');
  await expect(log).toContainText('line 207 needle');
  await view.getByRole('button', { name: 'Next match' }).click();
  await search.press('Enter');
  await expect(count).toHaveText('1/4');
  await search.fill('nobody');
  await expect(count).toHaveText('none');

  // The notebook grows below; what is read stays in its place.
  await view.getByRole('tab', { name: 'Notebook' }).click();
  const cells = view.locator('.jp-CodeCell');
  const read = cells.filter({ hasText: 'import base64' }).first();
  await expect(read).toBeVisible();
  const running = view.locator('.jp-mlws-cell-running');
  await expect(running).toContainText('gate("cell 0")', { timeout: SHOWN });
  const before = await top(read);
  await open('watched', 'cell 0', 'cell 1', 'cell 2');
  await expect(running).toContainText('gate("cell 3")', { timeout: SHOWN });
  expect(Math.abs((await top(read)) - before)).toBeLessThan(2);
  await open('watched', ...[3, 4, 5, 6, 7].map(i => `cell ${i}`));
  await expect(view.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: SHOWN
  });
  expect(Math.abs((await top(read)) - before)).toBeLessThan(2);

  // Metrics are those of the server, and those that are no numbers are shown as such.
  const { metrics: all } = await server.get<{
    metrics: { key: string; last: number; count: number }[];
  }>(`/runs/${run.id}/metrics`);
  const metrics = all.filter(({ key }) => !key.startsWith('system/'));
  expect(metrics.map(({ key, count: n }) => [key, n])).toEqual([
    ['loss', LINES],
    ['odd', LINES]
  ]);
  await view.getByRole('tab', { name: /^Metrics 2/ }).click();
  for (const { key, last } of metrics) {
    const head = view.locator('.jp-mlws-metric-head', { hasText: key });
    await expect(head.getByTitle(String(last))).toHaveText(
      String(Number(last.toPrecision(4)))
    );
  }
  await expect(
    view.locator('.jp-mlws-metric-head', { hasText: 'odd' })
  ).toContainText('1 not finite');

  // And the whole log is the server's.
  const text = (
    await server.get<{ text: string }>(`/jobs/${run.id}/log?limit=524288`)
  ).text;
  await view.getByRole('tab', { name: 'Logs' }).click();
  const [saved] = await Promise.all([
    lab.waitForEvent('download'),
    view.getByRole('button', { name: 'Download' }).click()
  ]);
  expect(await readFile(await saved.path(), 'utf8')).toBe(text);
  expect(text).toContain(`line ${LINES - 1}`);
  await lab.close();
});

test('snapshot and outputs are seen, compared and downloaded', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const lab = await openLab(context, `${baseURL}/lab/workspaces/files?reset`);
  const { run, view } = await start(server, lab, 'files');
  await expect(view.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: SHOWN
  });

  // The first file that can be shown, not the binary before it.
  await view.getByRole('tab', { name: 'Outputs' }).click();
  const file = (name: string): Locator =>
    view.getByRole('treeitem', { name: new RegExp(`^${name}`) });
  await expect(file('config.json')).toHaveAttribute('aria-selected', 'true');
  const shown = view.locator('.jp-mlws-file');
  await expect(shown).toContainText('"layers"');
  await file('notes.txt').click();
  await expect(shown.locator('pre')).toHaveText('first line\nsecond line\n');
  await file('plot.png').click();
  const image = shown.getByRole('img', { name: 'outputs/plot.png' });
  await expect(image).toBeVisible();
  expect(
    await image.evaluate(node => (node as HTMLImageElement).naturalWidth)
  ).toBe(1);
  await file('scores.csv').click();
  await expect(shown.getByRole('row', { name: '7 0.875' })).toBeVisible();
  await file('a-model.bin').click();
  await expect(shown).toContainText('There is no viewer for this file');
  const [model] = await Promise.all([
    lab.waitForEvent('download'),
    view.getByRole('link', { name: 'Download outputs/a-model.bin' }).click()
  ]);
  const bytes = await readFile(await model.path());
  expect([...bytes]).toEqual(Array.from({ length: 256 }, (_, i) => i));
  const [all] = await Promise.all([
    lab.waitForEvent('download'),
    view.getByRole('link', { name: 'Download all' }).click()
  ]);
  expect((await readFile(await all.path())).subarray(0, 2).toString()).toBe(
    'PK'
  );

  // The snapshot is what the server keeps; the working copy goes on.
  await writeRootFile('files/lib/model.py', 'WIDTH = 128\nDEPTH = 2\n');
  await view.getByRole('tab', { name: 'Snapshot' }).click();
  const { entries } = await server.get<{ entries: { path: string }[] }>(
    `/runs/${run.id}/snapshot`
  );
  const tree = view.getByRole('tree', { name: 'Files of the snapshot' });
  await expect(tree.getByRole('treeitem')).toHaveCount(entries.length);
  for (const { path } of entries) {
    await expect(file(path)).toBeVisible();
  }
  await expect(file('train.ipynb')).toHaveAttribute('aria-selected', 'true');
  await expect(view.locator('.jp-CodeCell').first()).toContainText(
    'gates = ""'
  );
  await file('lib').click();
  await file('model.py').click();
  await expect(shown).toContainText('WIDTH = 64');
  const compare = view.getByRole('button', {
    name: 'Compare with working copy'
  });
  await compare.click();
  await expect(shown.locator('[data-kind=delete]')).toContainText('WIDTH = 64');
  await expect(shown.locator('[data-kind=add]')).toContainText('WIDTH = 128');
  await expect(shown).toContainText('1 added, 1 removed');
  await writeRootFile('files/lib/model.py', 'WIDTH = 64\nDEPTH = 2\n');
  await compare.click();
  await compare.click();
  await expect(shown).toContainText('The working copy is the same.');

  // A copy of the output notebook stands beside its source.
  await view.getByRole('tab', { name: 'Notebook' }).click();
  await view.getByRole('button', { name: 'Open a copy' }).click();
  await expect(
    lab.getByRole('main').getByRole('tab', { name: 'train-files.ipynb' })
  ).toBeVisible();
  const copy = JSON.parse(
    await readFile(join(ROOT, 'files/train-files.ipynb'), 'utf8')
  ) as { cells: { outputs: object[] }[] };
  expect(copy.cells.length).toBeGreaterThanOrEqual(11);
  expect(JSON.stringify(copy.cells)).toContain(`line ${LINES - 1}`);

  // CSV of what the tables show.
  await openPage(lab, `runs/${run.id}/overview`);
  const csv = async (name: string): Promise<string> => {
    const [saved] = await Promise.all([
      lab.waitForEvent('download'),
      view.getByRole('button', { name }).click()
    ]);
    return readFile(await saved.path(), 'utf8');
  };
  expect(await csv('Download the parameters as CSV')).toBe(
    'name,value\r\ngates,\r\n'
  );
  const truth = await server.get<IRun>(`/runs/${run.id}`);
  const lines = (await csv('Download the metrics of this table as CSV')).split(
    '\r\n'
  );
  expect(lines[0]).toBe('metric,last,min,max,count');
  expect(lines[1]).toBe(
    `loss,${truth.metrics['loss']?.last},${truth.metrics['loss']?.last},1,${LINES}`
  );
  await lab.close();
});
