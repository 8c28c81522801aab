import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '@playwright/test';

import { Sshd, SSHD } from './sshd';
import {
  expectAccessible,
  openLab,
  openPage,
  Server,
  type IRun
} from './workspace';

const SHOWN = 60_000;
const COMPUTE = 'jp-mlws-compute';

interface ITarget {
  name: string;
  checked: { usable: boolean; steps: { name: string }[] } | null;
  ssh: { fingerprint: string; key: { name: string } | null } | null;
}

test('a host is made a target in the browser, tested, used, and found in its history', async ({
  context,
  request,
  baseURL
}) => {
  test.skip(
    !SSHD && process.env.CI !== 'true',
    'OpenSSH’s server is not installed (Debian: apt install openssh-server)'
  );
  // A second try finds nothing of the first: its history stays behind with the name.
  const NAME = `next-door-${test.info().retry}`;
  test.setTimeout(4 * SHOWN);
  const server = new Server(request, baseURL ?? '');
  const sshd = new Sshd();
  await sshd.start();
  try {
    const value = await readFile(join(sshd.folder, 'key'), 'utf8');
    await server.send('PUT', '/workspaces/default/secrets/door-key', { value });
    const lab = await openLab(context, `${baseURL}/lab?reset`);
    await lab.evaluate(id => window.jupyterapp.shell.activateById(id), COMPUTE);
    const panel = lab.locator(`#${COMPUTE}`);
    await panel
      .getByRole('button', { name: 'New compute target…' })
      .click({ timeout: SHOWN });
    await expectAccessible(lab, `#${COMPUTE}`);
    await panel.getByRole('button', { name: 'SSH host' }).press('Enter');

    // Nothing is saved before the key of the host is agreed to.
    const form = panel.getByRole('form', { name: 'New SSH host' });
    await expect(form.getByLabel('Name')).toBeFocused();
    await form.getByLabel('Name').fill(NAME);
    await form.getByLabel('Host').fill('127.0.0.1');
    await form.getByLabel('Port').fill('1');
    await form.getByLabel('Port').press('Enter');
    await expect(form.getByRole('alert').first()).toBeVisible({
      timeout: SHOWN
    });
    await form.getByLabel('Port').fill(String(sshd.port));
    await form
      .getByLabel('Private key')
      .selectOption({ label: 'Secret door-key' });
    await form.getByLabel('Port').press('Enter');
    const shown = form.getByRole('radio', { name: sshd.fingerprint });
    await expect(shown).toBeChecked({ timeout: SHOWN });
    await expect(shown).toBeFocused();
    await form.getByText('Python, folder and more').click();
    await form.getByLabel('Folder there').fill(join(sshd.folder, 'there'));
    const make = form.getByRole('button', { name: 'Make the target' });
    await expect(make).toBeDisabled();
    await form.getByLabel(/^The owner of the host tells/).check();
    await expectAccessible(lab, `#${COMPUTE}`);
    await form.getByLabel('Folder there').press('Enter');

    // Its page opens, and says what the host has.
    const page = lab.getByRole('region', { name: `Compute target ${NAME}` });
    await expect(page).toBeVisible({ timeout: SHOWN });
    const tested = page.getByRole('region', { name: 'Test', exact: true });
    await tested.getByRole('button', { name: 'Test' }).click();
    await expect(tested.getByText('Jobs can run.')).toBeVisible({
      timeout: SHOWN
    });
    const made = await server.get<ITarget>(`/compute/${NAME}`);
    expect(made.ssh?.fingerprint).toBe(sshd.fingerprint);
    expect(made.ssh?.key?.name).toBe('door-key');
    await expect(tested.getByRole('listitem')).toHaveCount(
      made.checked?.steps.length ?? 0
    );
    await expect(page.getByText('No job has ended here yet.')).toBeVisible();
    await expectAccessible(lab, `[aria-label="Compute target ${NAME}"]`);

    // A job is sent there from the form, and found in the history when it has ended.
    const { run } = await server.send<{ run: IRun }>(
      'POST',
      '/workspaces/default/jobs',
      { spec: { kind: 'command', command: 'echo hello' }, name: 'neighbour' }
    );
    await openPage(lab, `runs/${run.id}`);
    const main = lab.getByRole('main');
    await main
      .getByRole('button', { name: 'Edit and re-run…' })
      .click({ timeout: SHOWN });
    const again = main.getByRole('form', { name: 'Edit and re-run' });
    await again
      .getByRole('combobox', { name: 'Compute target' })
      .selectOption(NAME);
    await again.getByLabel('Run name').fill('abroad');
    await again.getByRole('button', { name: /^Re-run|^Run/ }).click();
    await panel.getByRole('link', { name: NAME }).click();
    const history = page.getByRole('region', { name: 'History' });
    const ended = history.getByRole('row').filter({ hasText: 'abroad' });
    await expect(ended).toContainText('Completed', { timeout: 2 * SHOWN });
    const { jobs } = await server.get<{ jobs: { run_id: string }[] }>(
      `/compute/${NAME}/jobs`
    );
    expect(jobs).toHaveLength(1);
    const usage = page.getByRole('region', { name: 'Usage by user' });
    await expect(usage.getByRole('rowheader')).toHaveCount(1);
    await ended.getByRole('link', { name: 'abroad' }).click();
    await expect(main.getByRole('heading', { name: 'abroad' })).toBeVisible({
      timeout: SHOWN
    });

    // The page is there again after a reload.
    await openPage(lab, `compute/${NAME}`);
    await lab.reload();
    await expect(page.getByText('abroad')).toBeVisible({ timeout: 2 * SHOWN });
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(page).toBeHidden();
    const { targets } = await server.get<{ targets: ITarget[] }>('/compute');
    expect(targets.map(one => one.name)).not.toContain(NAME);
    await lab.close();
  } finally {
    await sshd.stop();
  }
});
