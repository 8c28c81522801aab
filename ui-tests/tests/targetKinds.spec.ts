import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';

import { expect, test, type Locator, type Page } from '@playwright/test';

import { lacksOfSlurm, OtherServer, Slurm } from './elsewhere';
import { Sshd, SSHD } from './sshd';
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
const THERE = notebookText({
  source: [
    'import os, mlws',
    'mlws.log_params({"home": os.environ["HOME"], "sees": os.path.exists("beside.txt")})',
    'mlws.log_metric("answer", 42)'
  ].join('\n')
});

interface ITarget {
  name: string;
  description: string;
  checked: { usable: boolean; steps: { name: string }[] } | null;
  slurm: { partition: string | null; via: string | null } | null;
  gateway: { kernel: string | null; token: { name: string } | null } | null;
}

/** Opens the form of a new target of a kind, by keys. */
async function openForm(lab: Page, kind: string): Promise<Locator> {
  await lab.evaluate(id => window.jupyterapp.shell.activateById(id), COMPUTE);
  const panel = lab.locator(`#${COMPUTE}`);
  // While it starts the Lab gives the focus to what it shows.
  await expect(panel.getByRole('heading', { name: 'local' })).toBeVisible({
    timeout: SHOWN
  });
  const offered = panel.getByRole('button', { name: kind });
  // What starts last in the Lab may still take the focus between a key's way down and up.
  await expect(async () => {
    if (!(await offered.isVisible())) {
      await panel
        .getByRole('button', { name: 'New compute target…' })
        .press('Enter');
    }
    await expect(offered).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: SHOWN });
  await offered.press('Enter');
  const form = panel.getByRole('form', { name: `New ${kind}` });
  await expect(form.getByLabel('Name')).toBeFocused();
  return form;
}

/** Tests a target on its page, and waits for what is said of it. */
async function testTarget(
  page: Locator,
  server: Server,
  name: string,
  verdict: string
): Promise<void> {
  const card = page.getByRole('region', { name: 'Test', exact: true });
  await card.getByRole('button', { name: /^Test/ }).click();
  await expect(card.getByText(verdict)).toBeVisible({ timeout: 2 * SHOWN });
  const { checked } = await server.get<ITarget>(`/compute/${name}`);
  await expect(card.getByRole('listitem')).toHaveCount(
    checked?.steps.length ?? 0
  );
}

async function deleteTarget(
  page: Locator,
  server: Server,
  name: string
): Promise<void> {
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page).toBeHidden();
  const { targets } = await server.get<{ targets: ITarget[] }>('/compute');
  expect(targets.map(one => one.name)).not.toContain(name);
}

test('another Jupyter server is made a target in the browser, tested, changed, and runs a notebook', async ({
  context,
  request,
  baseURL
}) => {
  test.setTimeout(5 * SHOWN);
  const NAME = `next-room-${test.info().retry}`;
  const server = new Server(request, baseURL ?? '');
  const other = new OtherServer();
  try {
    await other.start(request);
    const lab = await openLab(context, `${baseURL}/lab?reset`);
    const form = await openForm(lab, 'Jupyter server');
    await form.getByLabel('Name').fill(NAME);

    // Where nothing is encrypted somebody must mean it; on this machine nobody listens.
    const address = form.getByLabel('Address *');
    await address.fill('http://jupyter.example:8888');
    await expect(address).toHaveAttribute('aria-invalid', 'true');
    await expect(form.getByRole('checkbox')).toBeVisible();
    await expectAccessible(lab, `#${COMPUTE}`);
    await address.fill(`${other.url}/`);
    await expect(form.getByRole('checkbox')).toBeHidden();

    // What the server refuses stands at its field, and the new secret is taken away again.
    await form.getByText('Certificates, logging and more').click();
    await form.getByLabel('Certificates').fill('/nowhere/ca.pem');
    await form.getByLabel('Token *').fill(other.token);
    await form.getByLabel('Token *').press('Enter');
    const certificates = form.getByLabel('Certificates');
    await expect(certificates).toHaveAttribute('aria-invalid', 'true');
    await expect(certificates).toBeFocused();
    const kept = async (): Promise<string[]> =>
      (
        await server.get<{ secrets: { name: string }[] }>(
          '/workspaces/default/secrets'
        )
      ).secrets.map(secret => secret.name);
    expect(await kept()).not.toContain(`${NAME}-token`);
    await certificates.fill('');
    await certificates.press('Enter');

    const page = lab.getByRole('region', { name: `Compute target ${NAME}` });
    await expect(page).toBeVisible({ timeout: SHOWN });
    const made = await server.get<ITarget>(`/compute/${NAME}`);
    expect(made.gateway?.token?.name).toBe(`${NAME}-token`);
    expect(JSON.stringify(made)).not.toContain(other.token);
    expect(await kept()).toContain(`${NAME}-token`);
    await testTarget(page, server, NAME, 'Jobs can run.');

    await page.getByRole('button', { name: 'Edit…' }).click();
    const edit = page.getByRole('form', { name: /^Edit the compute target/ });
    await expect(edit.getByLabel('Another token')).toHaveValue('');
    await edit.getByLabel('Kernel', { exact: true }).fill('python3');
    await edit.getByLabel('What it is').fill('The next room');
    await expectAccessible(lab, `[aria-label="Compute target ${NAME}"]`);
    await edit.getByLabel('What it is').press('Enter');
    await expect(edit).toBeHidden();
    const changed = await server.get<ITarget>(`/compute/${NAME}`);
    expect(changed.description).toBe('The next room');
    expect(changed.gateway?.kernel).toBe('python3');
    expect(changed.gateway?.token?.name).toBe(`${NAME}-token`);

    // A notebook is sent there from the dialog, which says what it sees of the folder.
    await writeRootFile('elsewhere/there.ipynb', THERE);
    await writeRootFile('elsewhere/beside.txt', 'stays here');
    await lab.evaluate(() => {
      void window.jupyterapp.commands.execute(
        'jupyter-mlws:run-as-experiment',
        { path: 'elsewhere/there.ipynb' }
      );
    });
    const dialog = lab.getByRole('form', { name: 'Run as experiment' });
    await dialog
      .getByRole('combobox', { name: 'Compute target' })
      .selectOption(NAME, { timeout: SHOWN });
    await expect(dialog.getByText(/sees none of them/)).toBeVisible();
    await dialog.getByLabel('Run name').fill('in-the-next-room');
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    const main = lab.getByRole('main');
    await expect(
      main.getByRole('heading', { name: 'in-the-next-room' })
    ).toBeVisible({ timeout: SHOWN });
    const run = await server.latestRun('there');
    await expect
      .poll(async () => (await server.get<IRun>(`/runs/${run.id}`)).status, {
        timeout: 2 * SHOWN
      })
      .toBe('Completed');
    const { params } = await server.get<{ params: Record<string, unknown> }>(
      `/runs/${run.id}`
    );
    expect(params['home']).toBe(other.home);
    expect(params['sees']).toBe('False');
    // The page of the target is there as well, hidden.
    const answer = main.getByText('42', { exact: true });
    await expect(answer.filter({ visible: true }).first()).toBeVisible();

    await openPage(lab, `compute/${NAME}`);
    await deleteTarget(page, server, NAME);
    expect(await kept()).toContain(`${NAME}-token`);
    await server.send('DELETE', `/workspaces/default/secrets/${NAME}-token`);
    await lab.close();
  } finally {
    await other.stop();
  }
});

test('Slurm behind a login node is made a target in the browser, and mended where its test fails', async ({
  context,
  request,
  baseURL
}) => {
  const lacks = lacksOfSlurm();
  const reasons = [
    lacks.length > 0 || !SSHD
      ? `not installed: ${[...lacks, ...(SSHD ? [] : ['sshd'])].join(', ')} (Debian: apt install slurmctld slurmd slurm-client munge openssh-server)`
      : '',
    userInfo().uid !== 0
      ? 'a Slurm of our own is started by root alone: its daemons start jobs as their users'
      : ''
  ].filter(Boolean);
  test.skip(
    reasons.length > 0 && process.env.CI !== 'true',
    reasons.join('; ')
  );
  test.setTimeout(6 * SHOWN);
  const LOGIN = `login-${test.info().retry}`;
  const NAME = `cluster-${test.info().retry}`;
  const server = new Server(request, baseURL ?? '');
  const slurm = new Slurm();
  await slurm.start();
  const login = new Sshd(slurm.environment);
  try {
    await login.start();
    const value = await readFile(join(login.folder, 'key'), 'utf8');
    await server.send('PUT', '/workspaces/default/secrets/login', { value });
    await server.send('POST', '/compute', {
      name: LOGIN,
      ssh: {
        host: '127.0.0.1',
        port: login.port,
        host_key: login.fingerprint,
        folder: join(login.folder, 'there'),
        key: { workspace: 'default', name: 'login' }
      }
    });
    const lab = await openLab(context, `${baseURL}/lab?reset`);
    const form = await openForm(lab, 'Slurm cluster');
    await form.getByLabel('Name').fill(NAME);
    await form
      .getByLabel('Submits from')
      .selectOption({ label: `${LOGIN} (127.0.0.1)` });
    await form.getByLabel('Partition').fill('no-such');
    await form.getByLabel('Time limit').fill('soon');
    await expectAccessible(lab, `#${COMPUTE}`);
    await form.getByLabel('Time limit').fill('5 min');
    await form.getByLabel('Time limit').press('Control+Enter');

    const page = lab.getByRole('region', { name: `Compute target ${NAME}` });
    await expect(page).toBeVisible({ timeout: SHOWN });
    await testTarget(page, server, NAME, 'Jobs cannot run yet.');
    await page.getByRole('button', { name: 'Edit…' }).click();
    await page.getByLabel('Partition').fill('main');
    await page.getByLabel('Partition').press('Enter');
    await expect(page.getByLabel('Partition')).toBeHidden();
    await testTarget(page, server, NAME, 'Jobs can run.');
    const { slurm: place } = await server.get<ITarget>(`/compute/${NAME}`);
    expect(place).toMatchObject({
      partition: 'main',
      via: LOGIN,
      time_limit_s: 300
    });

    const { run } = await server.send<{ run: IRun }>(
      'POST',
      '/workspaces/default/jobs',
      { spec: { kind: 'command', command: 'echo $SLURM_JOB_ID' }, target: NAME }
    );
    await expect
      .poll(async () => (await server.get<IRun>(`/runs/${run.id}`)).status, {
        timeout: 2 * SHOWN
      })
      .toBe('Completed');
    expect(slurm.knows(run.id)).toBe(true);

    // The host is needed until the cluster goes.
    await openPage(lab, `compute/${LOGIN}`);
    const host = lab.getByRole('region', { name: `Compute target ${LOGIN}` });
    await host.getByRole('button', { name: 'Delete…' }).click();
    await expect(host.getByText(/^By way of/)).toContainText(NAME);
    await expect(
      host.getByRole('button', { name: 'Delete', exact: true })
    ).toBeDisabled();
    await host.getByRole('button', { name: 'Cancel' }).click();
    await openPage(lab, `compute/${NAME}`);
    await deleteTarget(page, server, NAME);
    await openPage(lab, `compute/${LOGIN}`);
    await deleteTarget(host, server, LOGIN);
    await lab.close();
  } finally {
    await login.stop();
    await slurm.stop();
  }
});
