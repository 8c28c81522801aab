import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import AxeBuilder from '@axe-core/playwright';
import { galata, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import {
  expect,
  type APIRequestContext,
  type BrowserContext,
  type Locator,
  type Page
} from '@playwright/test';

export const PANEL = 'jp-mlws-experiments';

/** With MLWS_DOC_SHOTS=1 the pictures of the documentation are taken. */
export const DOC_SHOTS = process.env.MLWS_DOC_SHOTS === '1';

/** The pictures show a folder such as people have, not one named after a test. */
export const docFolder = DOC_SHOTS
  ? {
      tmpPath: async (
        { request }: { request: APIRequestContext },
        use: (path: string) => Promise<void>
      ): Promise<void> => {
        const contents = galata.newContentsHelper(request);
        await contents.createDirectory('vision');
        await use('vision');
        await contents.deleteDirectory('vision');
      }
    }
  : {};

/** The folder that the Lab shows, on this machine's disk. */
export const ROOT = join(__dirname, '..', '.work', 'root');

/** Writes a file below the Lab's folder, as an editor outside of the Lab does. */
export async function writeRootFile(
  path: string,
  content: string | Buffer
): Promise<void> {
  const file = join(ROOT, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** A cell of a notebook that a test writes. */
interface ICell {
  source: string;
  tags?: string[];
}

/** The file of a notebook with these code cells, for the installed Python kernel. */
export function notebookText(...cells: ICell[]): string {
  return notebookOf('python3', 'Python 3 (ipykernel)', ...cells);
}

/** The file of a notebook with these code cells, for a kernel of this name. */
export function notebookOf(
  name: string,
  title: string,
  ...cells: ICell[]
): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name, display_name: title, language: 'python' },
      language_info: { name: 'python' }
    },
    cells: cells.map(({ source, tags }, i) => ({
      id: `cell-${i}`,
      cell_type: 'code',
      source,
      metadata: tags ? { tags } : {},
      outputs: [],
      execution_count: null
    }))
  });
}

/** A training of some seconds that logs two metrics, prints each epoch and keeps a file. */
export const TRAINING = notebookText(
  {
    tags: ['parameters'],
    source: [
      'learning_rate: float = 0.01  # step size of the optimizer',
      'epochs: int = 8  # passes over the data',
      'optimizer: str = "adam"  # "adam" or "sgd"',
      'augment: bool = False  # also train on shifted copies',
      'layers = [64, 32]  # neurons of each hidden layer'
    ].join('\n')
  },
  {
    source: [
      'import time, mlws',
      'for epoch in range(epochs):',
      '    acc = 1 - learning_rate - 0.5 / (epoch + 1)',
      '    mlws.log_metric("acc", acc, step=epoch)',
      '    mlws.log_metric("loss", 1 / (epoch + 1), step=epoch)',
      '    print(f"epoch {epoch}: {acc:.4f}")',
      '    time.sleep(0.5)',
      'mlws.log_text(str(acc), "accuracy.txt")'
    ].join('\n')
  }
);

/** What the pages are compared with: the server's own answers. */
export class Server {
  constructor(
    private readonly request: APIRequestContext,
    private readonly baseUrl: string
  ) {}

  async get<T>(path: string): Promise<T> {
    const reply = await this.request.get(`${this.baseUrl}/mlws/api/v1${path}`);
    if (!reply.ok()) {
      throw new Error(`${path}: ${reply.status()} ${await reply.text()}`);
    }
    return (await reply.json()) as T;
  }

  /** Sends JSON, or bytes as they are. */
  async send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    data?: object | Buffer
  ): Promise<T> {
    const reply = await this.request.fetch(
      `${this.baseUrl}/mlws/api/v1${path}`,
      { method, ...(data && { data }) }
    );
    const text = await reply.text();
    if (!reply.ok()) {
      throw new Error(`${method} ${path}: ${reply.status()} ${text}`);
    }
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** A new workspace. One that an earlier try of the same test left behind goes first. */
  async freshWorkspace(name: string, more: object = {}): Promise<void> {
    await this.dropWorkspace(name);
    await this.send('POST', '/workspaces', { name, ...more });
  }

  /** Deletes a workspace with all that is in it, if there is one of this name. */
  async dropWorkspace(name: string): Promise<void> {
    const { workspaces } = await this.get<{ workspaces: { name: string }[] }>(
      '/workspaces?archived=true'
    );
    const archived = workspaces.some(one => one.name === name);
    if (
      archived ||
      (
        await this.request.get(`${this.baseUrl}/mlws/api/v1/workspaces/${name}`)
      ).ok()
    ) {
      await this.send('POST', `/workspaces/${name}/archive`);
      await this.send('DELETE', `/workspaces/${name}`);
    }
  }

  /** Deletes experiments of these names with their runs, if an earlier try of the same test left them behind. */
  async dropExperiments(...names: string[]): Promise<void> {
    for (const name of names) {
      for (const archived of [false, true]) {
        const { experiments } = await this.get<{
          experiments: { id: string; name: string }[];
        }>(
          `/workspaces/default/experiments?archived=${archived}&q=${encodeURIComponent(name)}`
        );
        const { id } = experiments.find(one => one.name === name) ?? {};
        if (id) {
          await this.send('POST', `/experiments/${id}/archive`);
          await this.send('DELETE', `/experiments/${id}`);
        }
      }
    }
  }

  /** Logs on a run. */
  async log(id: string, batch: object): Promise<void> {
    await this.send('POST', `/runs/${id}/log`, {
      batch_id: randomUUID(),
      ...batch
    });
  }

  /** An interactive run that has ended, with what it logged. */
  async makeRun(options: IMadeRun): Promise<IRun> {
    const { experiment, name, workspace = 'default', ...log } = options;
    const { id } = await this.send<IRun>(
      'POST',
      `/workspaces/${workspace}/runs`,
      {
        experiment,
        name
      }
    );
    const time = Date.now();
    const metrics = Object.entries(log.metrics ?? {}).flatMap(([key, values]) =>
      values.map((value, step) => ({ key, value, step, time: time + step }))
    );
    await this.log(id, {
      metrics,
      params: log.params ?? {},
      tags: log.tags ?? {}
    });
    await this.send('POST', `/runs/${id}/end`, { status: 'Completed' });
    return this.get<IRun>(`/runs/${id}`);
  }

  /** Submits a notebook of the Lab's folder, as the form does. */
  async submit(
    notebook: string,
    name: string,
    parameters: object = {}
  ): Promise<IRun> {
    const { run } = await this.send<{ run: IRun }>(
      'POST',
      '/workspaces/default/jobs',
      { spec: { kind: 'notebook', notebook, parameters }, name }
    );
    return run;
  }

  /** The newest run of an experiment. */
  async latestRun(experiment: string): Promise<IRun> {
    const { experiments } = await this.get<{
      experiments: { id: string; name: string }[];
    }>(`/workspaces/default/experiments?q=${encodeURIComponent(experiment)}`);
    const id = experiments.find(({ name }) => name === experiment)?.id;
    const { runs } = await this.get<{ runs: IRun[] }>(
      `/workspaces/default/runs?experiment_id=${id}&limit=1`
    );
    const run = runs[0];
    if (!run) {
      throw new Error(`The experiment ${experiment} has no run`);
    }
    return run;
  }
}

/** What `makeRun` makes. */
interface IMadeRun {
  experiment: string;
  name: string;
  workspace?: string;
  metrics?: Record<string, (number | string)[]>;
  params?: Record<string, string>;
  tags?: Record<string, string>;
}

/** The part of a run that the tests look at. */
export interface IRun {
  id: string;
  name: string;
  experiment_id: string;
  lifecycle: string;
  status: string;
  note: string;
  tags: Record<string, string>;
  params: Record<string, string>;
  metrics: Record<string, { last: number }>;
  error: { kind: string; cell: number; message: string } | null;
}

/**
 * A window of its own on a JupyterLab workspace of its own, as a colleague has it: without Galata's stand-ins for
 * the layout and the state, so what is stored there is stored for real.
 */
export async function openLab(
  context: BrowserContext,
  url: string
): Promise<Page> {
  const lab = await context.newPage();
  await lab.goto(url);
  await labIsReady(lab);
  return lab;
}

/** Waits until the layout is restored. */
export async function labIsReady(lab: Page): Promise<void> {
  await lab.waitForFunction(
    () => (window as { jupyterapp?: object }).jupyterapp !== undefined
  );
  await lab.evaluate(() => window.jupyterapp.restored);
}

/** Asks axe about a part of the page; what is left out is drawn by the Lab, and not ours to judge. */
export async function expectAccessible(
  page: Page,
  part: string,
  leftOut: string[] = []
): Promise<void> {
  // Its newer way opens a window beside, which Chromium at times never does while a frame forbids scripts.
  const axe = new AxeBuilder({ page }).setLegacyMode().include(part);
  leftOut.forEach(selector => axe.exclude(selector));
  expect((await axe.analyze()).violations, part).toEqual([]);
}

/** Opens a page of ours by its address. */
export async function openPage(lab: Page, address: string): Promise<void> {
  await lab.evaluate(
    text =>
      window.jupyterapp.commands.execute('jupyter-mlws:open-page', {
        address: text
      }),
    address
  );
}

/** Opens a notebook as a person finds it: by a double click, here by its path. */
export async function openNotebook(
  page: IJupyterLabPageFixture,
  path: string
): Promise<void> {
  await page.evaluate(async notebook => {
    await window.jupyterapp.commands.execute('docmanager:open', {
      path: notebook
    });
  }, path);
  await page
    .locator('.jp-NotebookPanel-toolbar:visible')
    .getByRole('button', { name: 'Run as experiment' })
    .waitFor();
}

/** Presses the button in the notebook's toolbar. */
export async function pressRun(page: IJupyterLabPageFixture): Promise<Locator> {
  await page
    .locator('.jp-NotebookPanel-toolbar:visible')
    .getByRole('button', { name: 'Run as experiment' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Experiment' }).waitFor();
  return dialog;
}
