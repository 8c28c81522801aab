import { expect, test } from '@jupyterlab/galata';

import { expectAccessible, PANEL, Server } from './workspace';

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`an empty workspace teaches the first step (${theme})`, async ({
    page,
    request,
    baseURL
  }, testInfo) => {
    const name = `empty-${theme.split(' ')[1]}`;
    await new Server(request, baseURL ?? '').dropWorkspace(name);
    await page.theme.setTheme(theme);
    await page.sidebar.openTab(PANEL);
    const panel = page.locator(`#${PANEL}`);
    await panel
      .getByRole('combobox', { name: 'Workspace' })
      .selectOption({ label: 'Create workspace…' });
    await panel.getByLabel('Name of the new workspace').fill('not a name');
    await expect(panel.getByRole('alert')).toContainText('at most 63');
    await panel.getByLabel('Name of the new workspace').fill(name);
    await panel.getByRole('button', { name: 'Create', exact: true }).click();

    await expect(
      panel.getByRole('combobox', { name: 'Workspace' })
    ).toHaveValue(name);
    await expect(
      panel.getByRole('heading', { name: 'ML Experiments' })
    ).toBeVisible();
    await expect(panel.getByText('the run appears here at once')).toBeVisible();
    await expect(
      panel.getByText('import mlws; mlws.start_run()')
    ).toBeVisible();
    // Lab itself is not ours to judge: only the panel.
    await expectAccessible(page, `#${PANEL}`);
    await page.screenshot({ path: testInfo.outputPath('sidebar-empty.png') });

    await panel.getByRole('button', { name: 'Run a notebook…' }).click();
    const chooser = page.getByRole('dialog');
    await expect(chooser).toContainText('Which notebook should run?');
    await chooser.getByRole('button', { name: 'Cancel' }).click();
    await panel
      .getByRole('combobox', { name: 'Workspace' })
      .selectOption('default');
  });
}
