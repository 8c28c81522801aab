import { expect, test, type Locator } from '@playwright/test';

import { expectAccessible, openLab, PANEL, Server } from './workspace';

interface IWorkspace {
  name: string;
  display_name: string;
  description: string;
  archived: boolean;
  experiments: number;
  runs: number;
}
interface IResource {
  kind: string;
  location: string;
  bytes: number | null;
  health: string;
}

test('workspaces are managed in the Lab', async ({
  context,
  request,
  baseURL
}, info) => {
  const server = new Server(request, baseURL ?? '');
  const all = async (): Promise<string[]> => {
    const lists = await Promise.all(
      [false, true].map(archived =>
        server.get<{ workspaces: IWorkspace[] }>(
          `/workspaces?archived=${archived}`
        )
      )
    );
    return lists.flatMap(({ workspaces }) => workspaces.map(one => one.name));
  };
  await server.dropWorkspace('team-b');
  await server.freshWorkspace('team-a');
  const lab = await openLab(context, `${baseURL}/lab/workspaces/managed?reset`);
  await lab.evaluate(id => window.jupyterapp.shell.activateById(id), PANEL);
  const switcher = lab
    .locator(`#${PANEL}`)
    .getByRole('combobox', { name: 'Workspace' });
  await switcher.selectOption('team-a');
  const page = lab.locator('#jp-mlws-workspaces');
  const entry = (name: string): Locator =>
    page.getByRole('option', { name: new RegExp(`^${name}`) });

  // From the switcher, at the workspace that is looked at.
  await switcher.selectOption({ label: 'Manage workspaces…' });
  await expect(page.getByRole('heading', { name: 'team-a' })).toBeVisible();
  await expect(switcher).toHaveValue('team-a');

  // What it stands on, as the server says.
  const { resources } = await server.get<{ resources: IResource[] }>(
    '/workspaces/team-a/resources'
  );
  const rows = page.getByRole('region', { name: 'Resources' });
  const words: Record<string, string> = { ok: 'Healthy', absent: 'Not set up' };
  const labels: Record<string, string> = {
    database: 'Database',
    artifact_store: 'Artifact store',
    jobs_folder: 'Folder of the jobs',
    secret_store: 'Secret store'
  };
  expect(resources.length).toBeGreaterThanOrEqual(3);
  for (const { kind, location, bytes, health } of resources) {
    const row = rows.getByRole('row', {
      name: new RegExp(labels[kind] ?? '?')
    });
    await expect(row).toContainText(words[health] ?? '?');
    await expect(row).toContainText(location);
    if (bytes !== null) {
      await expect(row).toContainText(/ (B|KiB|MiB)/);
    }
  }

  // Named anew: a name that is taken says so at its field.
  await page.getByRole('button', { name: 'Rename or describe…' }).click();
  await page.getByLabel('Name', { exact: true }).fill('default');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toContainText('already');
  await page.getByLabel('Name', { exact: true }).fill('a name');
  await expect(page.getByRole('alert')).toContainText('at most 63');
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  await page.getByLabel('Name', { exact: true }).fill('team-b');
  await page.getByLabel('Label').fill('Our team');
  await page.getByLabel('Description').fill('What we try.');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'team-b' })).toBeVisible();
  await expect(page).toContainText('What we try.');
  await expect(switcher).toHaveValue('team-b');
  expect(await server.get<IWorkspace>('/workspaces/team-b')).toMatchObject({
    display_name: 'Our team',
    description: 'What we try.'
  });
  await expectAccessible(lab, '#jp-mlws-workspaces');
  await lab.screenshot({ path: info.outputPath('workspaces.png') });

  // Somebody else changes it meanwhile: nothing of theirs is written over.
  await page.getByRole('button', { name: 'Rename or describe…' }).click();
  await page.getByLabel('Label').fill('Mine');
  await server.send('PATCH', '/workspaces/team-b', { display_name: 'Theirs' });
  await expect(page.locator('.jp-mlws-run-title')).toContainText('Theirs');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toContainText('was changed meanwhile');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('.jp-mlws-run-title')).toContainText('Theirs');

  // Archived and restored, by the keyboard too.
  const run = await server.makeRun({
    workspace: 'team-b',
    experiment: 'tries',
    name: 'first',
    metrics: { loss: [1, 2] }
  });
  await server.send(
    'PUT',
    `/runs/${run.id}/artifacts/content?path=model.bin`,
    Buffer.alloc(150_000, 7)
  );
  await page.getByRole('button', { name: 'Archive', exact: true }).click();
  await expect(page.getByText('archived', { exact: true })).toHaveCount(2);
  await expect(switcher).toHaveValue('default');
  await page.getByRole('listbox').focus();
  await lab.keyboard.press('Home');
  const options = page.getByRole('option');
  await expect(options.first()).toHaveAttribute('aria-selected', 'true');
  await entry('default').click();
  await expect(entry('default')).toHaveAttribute('aria-selected', 'true');
  await expect(
    page.getByRole('button', { name: 'Archive', exact: true })
  ).toHaveCount(0);
  await page.getByRole('listbox').focus();
  await lab.keyboard.press('End');
  await expect(options.last()).toHaveAttribute('aria-selected', 'true');
  await entry('team-b').click();
  await expect(page.getByRole('heading', { name: 'team-b' })).toBeVisible();
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(
    page.getByRole('button', { name: 'Archive', exact: true })
  ).toBeVisible();
  expect((await server.get<IWorkspace>('/workspaces/team-b')).archived).toBe(
    false
  );

  // Deleted for ever: the bytes are those of the dry run, and the name must be typed.
  await page.getByRole('button', { name: 'Archive', exact: true }).click();
  await page.getByRole('button', { name: 'Delete for ever…' }).click();
  const form = page.getByRole('form', { name: 'Delete for ever' });
  await expect(form).toContainText('1 experiment, 1 run and 1 file.');
  await expect(form).toContainText('146 KiB become free');
  const sure = form.getByRole('button', { name: 'Delete for ever' });
  await expect(sure).toBeDisabled();
  await form.getByLabel('Type “team-b” to confirm').fill('team-b');
  await sure.click();
  await expect(entry('team-b')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'default' })).toBeVisible();
  expect(await all()).not.toContain('team-b');

  // Nothing is lost with an empty one: no name is asked for.
  await page.getByRole('button', { name: 'New workspace' }).click();
  await page.getByLabel('Name of the new workspace').fill('empty-one');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'empty-one' })).toBeVisible();
  await page.getByRole('button', { name: 'Archive', exact: true }).click();
  await page.getByRole('button', { name: 'Delete for ever…' }).click();
  await expect(form.getByRole('textbox')).toHaveCount(0);
  await sure.click();
  await expect(entry('empty-one')).toHaveCount(0);
  expect(await all()).not.toContain('empty-one');
  await lab.close();
});
