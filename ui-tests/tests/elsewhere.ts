import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, type APIRequestContext } from '@playwright/test';

import { freePort } from './ports';

const SHOWN = 60_000;
const TREE = join(__dirname, '..', '..');
const OWN = join(TREE, '.venv', 'bin', 'python');
const PYTHON = existsSync(OWN) ? OWN : 'python3';

/** Another Jupyter server, with nothing of ours. */
export class OtherServer {
  private process: ChildProcess | null = null;
  readonly token = 'token-of-the-other-server';
  folder = '';
  port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The home folder of its kernels. */
  get home(): string {
    return join(this.folder, 'home');
  }

  async start(request: APIRequestContext): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'mlws-other-'));
    this.port = await freePort();
    await mkdir(join(this.folder, 'root'));
    await mkdir(this.home);
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(MLWS_|JUPYTER|MLFLOW_|PYTHONPATH)/.test(name)
    );
    const off = ['jupyter_mlws', 'jupyterlab', 'jupyter_lsp', 'notebook_shim'];
    this.process = spawn(
      PYTHON,
      [
        '-m',
        'jupyter_server',
        '--no-browser',
        '--allow-root',
        `--port=${this.port}`,
        '--ServerApp.port_retries=0',
        `--ServerApp.root_dir=${join(this.folder, 'root')}`,
        `--IdentityProvider.token=${this.token}`,
        `--ServerApp.jpserver_extensions={${off.map(name => `'${name}': False`).join(', ')}}`
      ],
      {
        stdio: 'ignore',
        cwd: join(this.folder, 'root'),
        env: {
          ...Object.fromEntries(kept),
          HOME: this.home,
          IPYTHONDIR: join(this.folder, 'ipython'),
          JUPYTER_DATA_DIR: join(this.folder, 'data'),
          JUPYTER_CONFIG_DIR: join(this.folder, 'config'),
          JUPYTER_RUNTIME_DIR: join(this.folder, 'runtime')
        }
      }
    );
    await expect
      .poll(
        async () => {
          try {
            return (await request.get(`${this.url}/api`)).status();
          } catch {
            return 0;
          }
        },
        { timeout: SHOWN }
      )
      .toBe(200);
  }

  async stop(): Promise<void> {
    await end(this.process);
    this.process = null;
    await rm(this.folder, { recursive: true, force: true });
  }
}

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue'];
const PLACES = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** What of Slurm is not installed. */
export function lacksOfSlurm(): string[] {
  return PROGRAMS.filter(
    name => !PLACES.split(':').some(place => existsSync(join(place, name)))
  );
}

/** The Slurm of the Python tests: one node, two partitions, `main` and `short`. */
export class Slurm {
  private process: ChildProcess | null = null;
  private config = '';

  /** What programs need in their environment to speak with it. */
  get environment(): Record<string, string> {
    return { SLURM_CONF: this.config, PATH: PLACES };
  }

  async start(): Promise<void> {
    const lines = [
      'import sys',
      'from tests.slurm import Slurm',
      'made = Slurm()',
      'try:',
      '    made.start()',
      '    print(made.config, flush=True)',
      '    sys.stdin.read()',
      'finally:',
      '    made.stop()'
    ];
    this.process = spawn(PYTHON, ['-c', lines.join('\n')], {
      cwd: TREE,
      stdio: ['pipe', 'pipe', 'inherit']
    });
    let said = '';
    this.process.stdout?.on(
      'data',
      (part: Buffer) => (said += part.toString())
    );
    await expect
      .poll(() => said.includes('\n') || this.process?.exitCode !== null, {
        timeout: SHOWN
      })
      .toBe(true);
    this.config = said.trim();
    expect(this.config, 'Slurm did not start').not.toBe('');
  }

  /** Whether its controller knows a job whose name has this in it. */
  knows(part: string): boolean {
    return execFileSync(
      'squeue',
      ['--noheader', '--states=all', '--format=%j'],
      { env: { ...process.env, ...this.environment } }
    )
      .toString()
      .includes(part);
  }

  async stop(): Promise<void> {
    const ending = this.process;
    this.process = null;
    if (ending && ending.exitCode === null) {
      const ended = once(ending, 'exit');
      ending.stdin?.end();
      await ended;
    }
  }
}

async function end(process: ChildProcess | null): Promise<void> {
  if (process && process.exitCode === null) {
    const ended = once(process, 'exit');
    process.kill();
    await ended;
  }
}
