import { expect, test } from '@playwright/test';

import { expectAccessible, openLab, Server } from './workspace';

const SHOWN = 60_000;
const COMPUTE = 'jp-mlws-compute';
const NAME = 'bare';

interface IVersions {
  versions: { version: number; build: { status: string } }[];
}

test('an environment is made in the sidebar, and becomes ready while one looks', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const lab = await openLab(context, `${baseURL}/lab?reset`);
  await lab.evaluate(id => window.jupyterapp.shell.activateById(id), COMPUTE);
  const section = lab
    .locator(`#${COMPUTE}`)
    .getByRole('region', { name: 'Environments' });
  await expect(section).toBeVisible({ timeout: SHOWN });
  await section
    .getByRole('button', { name: 'New environment…' })
    .first()
    .click();
  await section.getByLabel('Name', { exact: true }).fill(NAME);
  const packages = section.getByLabel('Packages');
  await packages.fill('# nothing but Python\n-r more.txt');
  await section.getByLabel('For notebooks too').uncheck();
  await section.getByRole('button', { name: 'Create' }).click();
  await expect(section.getByText(/^Line 2/)).toBeVisible();
  await expectAccessible(lab, `#${COMPUTE}`);

  await packages.fill('# nothing but Python');
  await section.getByRole('button', { name: 'Create' }).click();
  const row = section.getByRole('button', { name: new RegExp(`^${NAME} 1`) });
  await expect(row).toHaveAttribute('aria-expanded', 'true');
  await expect(row).toContainText('Ready', { timeout: 2 * SHOWN });
  await expect(section.getByLabel('Log of the build')).toBeVisible();
  await expectAccessible(lab, `#${COMPUTE}`);
  const { versions } = await server.get<IVersions>(
    `/workspaces/default/environments/${NAME}`
  );
  expect(versions.map(one => [one.version, one.build.status])).toEqual([
    [1, 'Ready']
  ]);

  await section.getByRole('button', { name: 'Archive' }).click();
  await expect(section.getByText(`${NAME} is archived.`)).toBeVisible();
  await expect(row).toBeHidden();

  // What is archived comes back by itself, long after the notice is gone.
  await section.getByRole('button', { name: 'Close' }).click();
  await section.getByText('Archived', { exact: true }).click();
  const restore = section.getByRole('button', { name: `Restore ${NAME}` });
  await expect(restore).toBeVisible();
  await expectAccessible(lab, `#${COMPUTE}`);
  await restore.click();
  await expect(row).toBeVisible();
  await expect(restore).toBeHidden();
});
