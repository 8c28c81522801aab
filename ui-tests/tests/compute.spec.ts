import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  expect,
  request as requests,
  test,
  type APIRequestContext,
  type Locator,
  type Page
} from '@playwright/test';

import { freePort } from './ports';
import {
  expectAccessible,
  notebookText,
  openLab,
  openPage,
  Server,
  writeRootFile,
  type IRun
} from './workspace';

const SHOWN = 60_000;
const COMPUTE = 'jp-mlws-compute';
const TOKEN = 'of-this-test';
const TREE = join(__dirname, '..', '..');
const SLEEPER = notebookText({
  source: 'import time\nfor n in range(600):\n    time.sleep(0.2)'
});

/** The sidebar of the compute targets. */
async function openCompute(lab: Page): Promise<Locator> {
  await lab.evaluate(id => window.jupyterapp.shell.activateById(id), COMPUTE);
  const panel = lab.locator(`#${COMPUTE}`);
  await expect(panel.getByRole('heading', { name: 'local' })).toBeVisible({
    timeout: SHOWN
  });
  return panel;
}

async function statusOf(server: Server, id: string): Promise<string> {
  return (await server.get<IRun>(`/runs/${id}`)).status;
}

test('a target is chosen, its queue paused and resumed, and a job that waits says why until it runs', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.send('PATCH', '/compute/local', { paused: false });
  await writeRootFile('compute/sleeper.ipynb', SLEEPER);
  const lab = await openLab(context, `${baseURL}/lab?reset`);
  const panel = await openCompute(lab);
  await panel.getByRole('button', { name: 'Pause the queue' }).click();
  await expect(panel.getByText('The queue is paused')).toBeVisible();

  await lab.evaluate(() => {
    void window.jupyterapp.commands.execute('jupyter-mlws:run-as-experiment', {
      path: 'compute/sleeper.ipynb'
    });
  });
  const form = lab.getByRole('form', { name: 'Run as experiment' });
  await expect(form.getByText(/^Snapshot:/)).toBeVisible({ timeout: SHOWN });
  const target = form.getByRole('combobox', { name: /target/i });
  await expect(target.locator('option:checked')).toContainText('local');
  await form.getByLabel('Run name').fill('patient');
  await form.getByRole('button', { name: 'Run', exact: true }).click();

  // Why it waits stands on its page, in the sidebar and in the answers of the server, and goes with its cause.
  const main = lab.getByRole('main');
  await expect(main.getByRole('heading', { name: 'patient' })).toBeVisible({
    timeout: SHOWN
  });
  await expect(main.getByText(/paused/i).first()).toBeVisible();
  await openCompute(lab);
  const row = panel.getByRole('listitem').filter({ hasText: 'patient' });
  await expect(row).toContainText(/paused/i);
  await expectAccessible(lab, `#${COMPUTE}`);
  const run = await server.latestRun('sleeper');
  expect(run.status).toBe('Queued');
  await panel.getByRole('button', { name: 'Resume the queue' }).click();
  await expect
    .poll(() => statusOf(server, run.id), { timeout: SHOWN })
    .toBe('Running');
  await expect(panel.getByText(/paused/i)).toBeHidden();
  await expect(main.getByText('Running').first()).toBeVisible();

  await main.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect
    .poll(() => statusOf(server, run.id), { timeout: SHOWN })
    .toBe('Canceled');
  await expect(main.getByText('Canceled').first()).toBeVisible();
  await lab.close();
});

/** A JupyterLab of its own, that may be killed. */
class OwnLab {
  private process: ChildProcess | null = null;

  constructor(
    private readonly folder: string,
    readonly port: number
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(request: APIRequestContext): Promise<void> {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(MLWS_|JUPYTER_|MLFLOW_)/.test(name)
    );
    const pages = join(TREE, 'ui-tests', '.work', 'pages');
    this.process = spawn(
      join(TREE, '.venv', 'bin', 'jupyter'),
      [
        'lab',
        '--no-browser',
        '--allow-root',
        '--LabApp.expose_app_in_browser=True',
        `--port=${this.port}`,
        '--ServerApp.port_retries=0',
        `--IdentityProvider.token=${TOKEN}`,
        `--ServerApp.root_dir=${join(this.folder, 'root')}`
      ],
      {
        stdio: 'ignore',
        env: {
          ...Object.fromEntries(kept),
          JUPYTER_PATH: pages,
          PYTHONPATH: `${TREE}:${join(TREE, 'jupyter_mlws', 'kernel_path')}`,
          MLWS_DATA_DIR: join(this.folder, 'mlws'),
          JUPYTER_DATA_DIR: join(this.folder, 'data'),
          JUPYTER_CONFIG_DIR: join(this.folder, 'config'),
          JUPYTER_RUNTIME_DIR: join(this.folder, 'runtime'),
          IPYTHONDIR: join(this.folder, 'ipython')
        }
      }
    );
    await expect
      .poll(
        async () => {
          try {
            return (
              await request.get(`${this.url}/mlws/api/v1/health`)
            ).status();
          } catch {
            return 0;
          }
        },
        { timeout: SHOWN }
      )
      .toBe(200);
  }

  /** Ends the server alone, as a crash does. */
  async kill(): Promise<void> {
    const ending = this.process;
    this.process = null;
    if (ending) {
      const ended = once(ending, 'exit');
      ending.kill('SIGKILL');
      await ended;
    }
  }
}

test('a job goes on while its server is killed and started again, and its page follows', async ({
  context
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'mlws-lab-'));
  await mkdir(join(folder, 'root'));
  const go = join(folder, 'go');
  const own = new OwnLab(folder, await freePort());
  const request = await requests.newContext({
    extraHTTPHeaders: { Authorization: `token ${TOKEN}` }
  });
  try {
    await own.start(request);
    const server = new Server(request, own.url);
    const { run } = await server.send<{ run: IRun }>(
      'POST',
      '/workspaces/default/jobs',
      {
        spec: {
          kind: 'command',
          command: `n=0; until [ -e '${go}' ]; do n=$((n+1)); echo line $n; sleep 0.1; done; echo the last line`
        },
        name: 'survivor'
      }
    );
    const lab = await openLab(context, `${own.url}/lab?reset&token=${TOKEN}`);
    await openPage(lab, `runs/${run.id}`);
    const main = lab.getByRole('main');
    await main.getByRole('tab', { name: 'Logs' }).click();
    await expect(main.getByText(/^line \d+$/).first()).toBeVisible({
      timeout: SHOWN
    });

    await own.kill();
    await own.start(request);
    expect(await statusOf(server, run.id)).toBe('Running');
    await writeFile(go, '');
    // The page finds the server again by itself, and shows what was printed meanwhile.
    await expect(main.getByText('the last line')).toBeVisible({
      timeout: SHOWN
    });
    await expect(main.getByText('Completed').first()).toBeVisible({
      timeout: SHOWN
    });
    const { text } = await server.get<{ text: string }>(
      `/jobs/${run.id}/log?limit=1000000`
    );
    const lines = text.trim().split('\n');
    expect(lines.at(-1)).toBe('the last line');
    expect(lines.slice(0, -1)).toEqual(
      lines.slice(0, -1).map((_, n) => `line ${n + 1}`)
    );
    await lab.close();
  } finally {
    await own.kill();
    await request.dispose();
    await rm(folder, { recursive: true, force: true });
  }
});
