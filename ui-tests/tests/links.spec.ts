import { expect, galata, test } from '@jupyterlab/galata';

import { notebookText, openNotebook, Server } from './workspace';

const TRACKED = notebookText({
  source: [
    'import mlws',
    'with mlws.start_run("linked") as run:',
    '    mlws.log_metric("acc", 0.75)',
    'print(run.url)',
    'run'
  ].join('\n')
});

test('a run shown in a notebook opens its page in this Lab', async ({
  page,
  request,
  baseURL,
  context,
  tmpPath
}) => {
  const contents = galata.newContentsHelper(request);
  const path = `${tmpPath}/linked.ipynb`;
  await contents.uploadContent(TRACKED, 'text', path);
  await openNotebook(page, path);
  await page.getByText('Python 3 (ipykernel) | Idle').waitFor();
  await page.evaluate(() =>
    window.jupyterapp.commands.execute('notebook:run-all-cells')
  );
  const output = page.locator('.jp-OutputArea');
  const shown = output.getByRole('link', { name: 'linked', exact: true });
  await shown.waitFor();
  const { id } = await new Server(request, baseURL!).latestRun('linked');
  const links = output.locator(`a[href*="/mlws/open/runs/${id}"]`);
  await expect(shown).toHaveAttribute('href', `/mlws/open/runs/${id}`);
  await expect(links).toHaveCount(2); // the printed address is a link, too

  const runPage = page.locator(`#jp-mlws-runs-${id}`);
  await shown.click();
  await expect(runPage.getByText('0.75').first()).toBeVisible();
  expect(context.pages()).toHaveLength(1);

  await page.activity.closePanel('linked');
  await page.activity.activateTab('linked.ipynb');
  await links.first().click();
  await expect(runPage).toBeVisible();
  expect(context.pages()).toHaveLength(1);

  await page.activity.activateTab('linked.ipynb');
  const [other] = await Promise.all([
    context.waitForEvent('page'),
    shown.click({ modifiers: ['Control'] })
  ]);
  expect(other.url()).toContain(`${id}`);
});
