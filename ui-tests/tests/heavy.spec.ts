import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { writeFile } from 'node:fs/promises';

import { expectAccessible, notebookText, openPage, Server } from './workspace';

const ENDED = 90_000;

/** Two bars as tqdm draws them: a newline to the second one, and back up, each in a write of its own. */
const BARS = [
  'import sys, time',
  "print('begin', flush=True)",
  'def write(text):',
  '    sys.stdout.write(text)',
  '    sys.stdout.flush()',
  'for outer in range(8):',
  "    write(f'\\router: {outer}/8')",
  '    for inner in range(40):',
  "        write('\\n')",
  "        write(f'\\r\\x1b[32minner\\x1b[0m: {inner}/40')",
  "        write('\\x1b[A')",
  '        time.sleep(0.02)',
  "write('\\router: 8/8\\n\\r           \\n')",
  "print('end')"
].join('\n');

/** Several hundred outputs, and large ones of each kind. */
const FLOOD = [
  [
    'import struct, sys, zlib',
    'from IPython.display import HTML, Image, display',
    'def chunk(kind, data):',
    "    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))",
    'def picture(side):',
    "    rows = b''.join(b'\\0' + bytes((x * y) % 251 for x in range(3 * side)) for y in range(side))",
    "    head = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)",
    "    return Image(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(rows, 0)) + chunk(b'IEND', b''))"
  ].join('\n'),
  "print('\\n'.join(f'line {n} \\x1b[31mred\\x1b[0m' for n in range(20_000)))",
  'display(picture(200))',
  [
    "rows = ''.join(f'<tr><td>{n}</td></tr>' for n in range(20_000))",
    'attack = \'<script>parent.hacked = true</script><img src=x onerror="parent.hacked = true">\'',
    "display(HTML(f'{attack}<table><tr><th>heading</th></tr>{rows}</table>'))"
  ].join('\n'),
  "for n in range(700): display(HTML(f'<b>item {n}</b>'))",
  // A type of ours in a notebook of somebody else shows nothing.
  "display({'application/vnd.jupyter-mlws.held+json': {'key': '2.1'}, 'text/plain': 'forged'}, raw=True)"
];

interface IDeltas {
  deltas: { op: string; cell?: number; output?: { text?: string } }[];
  next_offset: number;
  more: boolean;
}

async function start(
  server: Server,
  page: IJupyterLabPageFixture,
  tab: string,
  spec: object
): Promise<{ id: string; run: Locator }> {
  const { run } = await server.send<{ run: { id: string } }>(
    'POST',
    '/workspaces/default/jobs',
    { spec, experiment: 'heavy' }
  );
  await openPage(page, `runs/${run.id}/${tab}`);
  return { id: run.id, run: page.locator(`#jp-mlws-runs-${run.id}`) };
}

const ended = (run: Locator): Promise<void> =>
  expect(run.locator('[data-status=Completed]').first()).toBeVisible({
    timeout: ENDED
  });
const linesOf = (run: Locator): Promise<string[]> =>
  run.locator('.jp-mlws-text-line').allTextContents();

test('nested progress bars are two lines that change', async ({
  page,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const { id, run } = await start(server, page, 'logs', {
    kind: 'command',
    command: `python - <<'END'\n${BARS}\nEND`
  });
  await expect(run.getByRole('log')).toContainText('inner: ');
  const seen = new Set<string>();
  for (let look = 0; look < 12; look += 1) {
    const lines = await linesOf(run);
    if (lines.some(line => line.startsWith('end'))) {
      break;
    }
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('begin');
    expect(lines[1]).toMatch(/^outer: \d\/8$/);
    expect(lines[2]).toMatch(/^inner: \d+\/40$/);
    seen.add(lines.join());
    await page.waitForTimeout(250);
  }
  expect(seen.size).toBeGreaterThan(3);
  await ended(run);
  await expect
    .poll(() => linesOf(run))
    .toEqual(['begin', 'outer: 8/8', '', 'end']);
  const log = await server.get<{ text: string }>(`/jobs/${id}/log`);
  expect(log.text).toBe('begin\nouter: 8/8\n\nend\n');
});

test('a long log is searched beyond what the tab holds', async ({
  page,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const made = await server.send<{ run: { id: string } }>(
    'POST',
    '/workspaces/default/jobs',
    {
      spec: {
        kind: 'command',
        command: `python -c "for n in range(200_000): print('line', n, 'of a long log', '\\x1b[31mneedle\\x1b[0m' if n in (7, 99_999) else '')"`
      },
      experiment: 'heavy'
    }
  );
  // A tab that is there from the start has followed all of it; one that comes later begins at the end.
  await expect
    .poll(
      async () =>
        (await server.get<{ status: string }>(`/runs/${made.run.id}`)).status,
      { timeout: ENDED }
    )
    .toBe('Completed');
  await openPage(page, `runs/${made.run.id}/logs`);
  const run = page.locator(`#jp-mlws-runs-${made.run.id}`);
  await ended(run);
  await expect(run.getByRole('log')).toContainText('line 199999');
  await expect(run.getByText('stand before these lines')).toBeVisible();
  const search = run.getByLabel('Search the log');
  await search.fill('NEEDLE');
  await expect(run.getByText('2/2')).toBeVisible();
  await expect(run.locator('mark[data-current]')).toHaveText('needle');
  await expect(run.getByRole('log')).toContainText('line 99999 ');
  await search.press('Shift+Enter');
  await expect(run.getByRole('log')).toContainText('line 7 ');
  await expect(run.getByText('stand behind these lines')).toBeVisible();
  await run.getByRole('button', { name: 'Go to the end' }).click();
  await expect(run.getByRole('log')).toContainText('line 199999');
  await search.fill('not in it');
  await expect(run.getByText('none', { exact: true })).toBeVisible();
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`large outputs wait in their places (${theme})`, async ({
    page,
    tmpPath,
    request,
    baseURL
  }, info) => {
    await page.theme.setTheme(theme);
    const server = new Server(request, baseURL ?? '');
    const notebook = `${tmpPath}/flood.ipynb`;
    const text = notebookText(...FLOOD.map(source => ({ source })));
    await page.contents.uploadContent(text, 'text', notebook);
    const { id, run } = await start(server, page, 'notebook', {
      kind: 'notebook',
      notebook
    });
    await ended(run);
    const cell = (index: number): Locator => run.locator('.jp-Cell').nth(index);
    const shot = (name: string): Promise<Buffer> =>
      page.screenshot({ path: info.outputPath(`${name}.png`) });

    // Text: its first and last lines, then all of it, a screen at a time.
    const lines = cell(1);
    await expect(lines).toContainText('line 0 red');
    await expect(lines).toContainText('line 19999 red');
    await expect(lines).not.toContainText('line 10000 ');
    await expect(lines).toContainText('20,000 lines');
    await shot('text-collapsed');
    await lines.getByRole('button', { name: /^Show \(/ }).click();
    const box = lines.getByRole('log');
    await expect(box).toContainText('line 0 red');
    await box.focus();
    await page.keyboard.press('End');
    await expect(box).toContainText('line 19999 red');
    expect(await box.locator('.jp-mlws-text-line').count()).toBeLessThan(150);
    await shot('text-shown');
    await lines.getByRole('button', { name: 'Hide' }).click();
    await expect(box).toHaveCount(0);

    // An image: by an address of its own.
    const image = cell(2).locator('.jp-mlws-held-image img');
    await image.scrollIntoViewIfNeeded();
    await expect
      .poll(() => image.evaluate((it: HTMLImageElement) => it.naturalWidth))
      .toBe(200);
    expect(await image.getAttribute('src')).toContain(`${id}/notebook/image`);

    // HTML: in a frame where nothing of it runs.
    await cell(3)
      .getByRole('button', { name: /^Show \(/ })
      .click();
    const frame = cell(3).frameLocator('iframe');
    await expect(frame.getByText('heading')).toBeVisible();
    await expect(frame.getByText('19999')).toBeAttached();
    await shot('html-shown');
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);

    // Many: a portion, and more when asked.
    await expect(cell(4)).toContainText('item 0');
    await expect(cell(4)).not.toContainText('item 699');
    await cell(4).getByText('Show more outputs').click();
    await expect(cell(4)).toContainText('item 499');
    await cell(4)
      .getByRole('button', { name: /^Show more \(/ })
      .click();
    await expect(cell(4)).toContainText('item 699');
    await expect(cell(5)).toContainText('forged');

    await expectAccessible(page, `#jp-mlws-runs-${id} .jp-mlws-held`);

    // The copy has everything.
    await run.getByRole('button', { name: 'Open a copy' }).click();
    const panel = page.locator('.jp-NotebookPanel:visible');
    await panel.waitFor({ timeout: ENDED });
    const whole: IDeltas['deltas'] = [];
    for (let offset = 0, more = true; more;) {
      const reply = await server.get<IDeltas>(
        `/jobs/${id}/notebook?offset=${offset}&limit=16000000`
      );
      whole.push(...reply.deltas);
      ({ next_offset: offset, more } = reply);
    }
    const printed = whole
      .filter(({ op, cell: at }) => op === 'output' && at === 1)
      .map(({ output }) => output?.text ?? '');
    const { content } = await page.evaluate(
      path => window.jupyterapp.serviceManager.contents.get(path),
      await panel.evaluate(
        () =>
          (
            window.jupyterapp.shell.currentWidget as unknown as {
              context: { path: string };
            }
          ).context.path
      )
    );
    const cells = content.cells as { outputs: { text: string }[] }[];
    expect(cells[1].outputs.map(output => output.text).join('')).toBe(
      printed.join('')
    );
    expect(cells[4].outputs).toHaveLength(700);
  });
}

test('what is read stays where it is while the notebook grows', async ({
  page,
  tmpPath,
  request,
  baseURL
}, info) => {
  const server = new Server(request, baseURL ?? '');
  const notebook = `${tmpPath}/grows.ipynb`;
  const go = info.outputPath('go');
  const cells = [
    'from IPython.display import HTML, display\nimport os, time\nshown = display(HTML("short"), display_id=True)',
    ...Array.from({ length: 30 }, (_, n) => `print("text ${n}\\n" * 8)`),
    // The first cell grows, far above; and the run goes on below. It waits until somebody reads in the middle.
    `print("ready", flush=True)\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.1)\n` +
      'for n in range(12):\n    shown.update(HTML("<p>long</p>" * 4 * (n + 1)))\n    print("more")\n    time.sleep(0.2)'
  ];
  const text = notebookText(...cells.map(source => ({ source })));
  await page.contents.uploadContent(text, 'text', notebook);
  const { run } = await start(server, page, 'notebook', {
    kind: 'notebook',
    notebook
  });
  // Cells far from what is seen may not be in the page, so they are told by their text.
  const cell = (words: string): Locator =>
    run.locator('.jp-Cell', { hasText: words }).first();
  await expect(cell('print("ready"')).toContainText('ready\n', {
    timeout: ENDED
  });
  const height = await cell('display_id').evaluate(e => e.clientHeight);
  const list = run.locator('.jp-WindowedPanel-outer');
  const read = cell('print("text 11');
  await list.evaluate(
    (element, seen) => {
      element.scrollTop = (seen as HTMLElement).offsetTop - 100;
    },
    await read.elementHandle()
  );
  await page.waitForTimeout(500);
  // Within the notebook: the header above it gives up its line of progress when the run ends.
  const place = async (): Promise<number> =>
    ((await read.boundingBox())?.y ?? NaN) -
    ((await list.boundingBox())?.y ?? NaN);
  const before = await place();
  await writeFile(go, '');
  await ended(run);
  await page.waitForTimeout(1000);
  expect(Math.abs((await place()) - before)).toBeLessThan(3);
  await list.evaluate(element => {
    element.scrollTop = 0;
  });
  await expect(cell('display_id')).toContainText('long');
  expect(
    await cell('display_id').evaluate(e => e.clientHeight)
  ).toBeGreaterThan(height + 100);
});
