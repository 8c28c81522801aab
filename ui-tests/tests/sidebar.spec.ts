import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@jupyterlab/galata';

const PANEL = 'jp-mlws-experiments';

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`the sidebar opens and teaches the first step (${theme})`, async ({
    page
  }, testInfo) => {
    await page.theme.setTheme(theme);
    await page.sidebar.openTab(PANEL);
    const panel = page.locator(`#${PANEL}`);

    await expect(
      panel.getByRole('heading', { name: 'ML Experiments' })
    ).toBeVisible();
    await expect(
      panel.getByText('import mlflow; mlflow.autolog()')
    ).toBeVisible();
    // Lab itself is not ours to judge: only the panel.
    const axe = await new AxeBuilder({ page }).include(`#${PANEL}`).analyze();
    expect(axe.violations).toEqual([]);

    await page.screenshot({
      path: testInfo.outputPath('sidebar.png')
    });
  });
}

test('the empty state opens a notebook', async ({ page }) => {
  await page.sidebar.openTab(PANEL);
  await page
    .locator(`#${PANEL}`)
    .getByRole('button', { name: 'New notebook' })
    .click();
  await expect(
    page.getByRole('main').getByRole('tab', { name: /Untitled.*\.ipynb/ })
  ).toBeVisible();
});
