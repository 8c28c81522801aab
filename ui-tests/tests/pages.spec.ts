import { expect, test, type Locator, type Page } from '@playwright/test';

import { labIsReady, openLab, openPage, PANEL, Server } from './workspace';

const SHOWN = 30_000;
const CURVES = { loss: [3, 2, 1.5], acc: [0.5, 0.75, 0.875] };

const pageOf = (lab: Page, id: string): Locator =>
  lab.locator(`#jp-mlws-runs-${id}`);
const tabOf = (lab: Page, name: string): Locator =>
  lab.getByRole('main').getByRole('tab', { name, exact: true });

/** What the Lab has stored of its layout. */
interface IStored {
  data: Record<string, object>;
}

test('pages stand where they stood after a reload', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  const url = `${baseURL}/lab/workspaces/restored`;
  const stored = `${baseURL}/lab/api/workspaces/restored`;
  const [curves, files, binned] = await Promise.all(
    ['curves', 'files', 'binned'].map(name =>
      server.makeRun({ experiment: 'restored', name, metrics: CURVES })
    )
  );
  const lab = await openLab(context, `${url}?reset`);
  for (const { id, name } of [curves, files, binned]) {
    await openPage(lab, `runs/${id}`);
    await expect(pageOf(lab, id).getByRole('heading', { name })).toBeVisible();
  }
  await server.send('DELETE', `/runs/${binned.id}`);
  await tabOf(lab, 'files').click();
  await pageOf(lab, files.id).getByRole('tab', { name: 'Outputs' }).click();
  await tabOf(lab, 'curves').click();
  await pageOf(lab, curves.id)
    .getByRole('tab', { name: /^Metrics/ })
    .click();
  // The Lab stores its layout when it has been quiet for a while.
  await expect
    .poll(async () => (await request.get(stored)).text(), { timeout: SHOWN })
    .toContain(`runs/${curves.id}/metrics`);
  await lab.waitForTimeout(1000);

  await lab.reload();
  await labIsReady(lab);
  const page1 = pageOf(lab, curves.id);
  await expect(page1.getByRole('tab', { name: /^Metrics/ })).toHaveAttribute(
    'aria-selected',
    'true',
    { timeout: SHOWN }
  );
  await expect(page1.locator('.jp-mlws-metric-head')).toHaveCount(2);
  await tabOf(lab, 'files').click();
  await expect(
    pageOf(lab, files.id).getByRole('tab', { name: 'Outputs' })
  ).toHaveAttribute('aria-selected', 'true');
  await tabOf(lab, 'binned').click();
  await expect(pageOf(lab, binned.id)).toContainText('This run is in the bin.');

  // What is closed can be opened again, at the part that is asked for.
  await tabOf(lab, 'curves').locator('.lm-TabBar-tabCloseIcon').click();
  await expect(page1).toHaveCount(0);
  await openPage(lab, `runs/${curves.id}/outputs`);
  await expect(page1.getByRole('tab', { name: 'Outputs' })).toHaveAttribute(
    'aria-selected',
    'true'
  );
  await expect(tabOf(lab, 'curves')).toHaveCount(1);
  await expect
    .poll(async () => (await request.get(stored)).text(), { timeout: SHOWN })
    .toContain(`runs/${curves.id}/outputs`);
  await lab.close();

  // A layout that knows nothing of a page that was open: it stands there all the same.
  const { data } = (await (await request.get(stored)).json()) as IStored;
  const { 'layout-restorer:data': layout, ...rest } = data;
  expect(JSON.stringify(layout)).toContain(`mlws-pages:runs/${curves.id}`);
  const put = await request.put(stored, {
    data: JSON.stringify({ data: rest, metadata: { id: 'restored' } })
  });
  expect(put.ok()).toBe(true);
  const again = await openLab(context, url);
  for (const { name } of [curves, files, binned]) {
    await expect(tabOf(again, name)).toHaveCount(1);
  }
  await openPage(again, `runs/${files.id}/metrics`);
  await expect(
    pageOf(again, files.id).getByRole('tab', { name: /^Metrics/ })
  ).toHaveAttribute('aria-selected', 'true');
  await expect(pageOf(again, files.id)).toBeVisible();
  await again.close();
});

test('addresses lead to runs, experiments and workspaces', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.freshWorkspace('addressed');
  const run = await server.makeRun({
    workspace: 'addressed',
    experiment: 'one of many',
    name: 'told by a colleague'
  });
  await server.makeRun({
    workspace: 'addressed',
    experiment: 'the newest',
    name: 'other'
  });
  // As the command line prints them; `mlws/open` leads into the Lab.
  const lab = await openLab(context, `${baseURL}/mlws/open/runs/${run.id}`);
  await expect(
    pageOf(lab, run.id).getByRole('heading', { name: run.name })
  ).toBeVisible({ timeout: SHOWN });
  expect(lab.url()).not.toContain('mlws=');

  // The breadcrumb leads to the same places.
  const panel = lab.locator(`#${PANEL}`);
  const head = panel.getByRole('treeitem', { name: /one of many/ });
  const trail = pageOf(lab, run.id).getByRole('navigation');
  for (const link of await trail.getByRole('link').all()) {
    const cut = await link.evaluate(
      place => place.scrollWidth > place.clientWidth
    );
    expect(cut, `${await link.innerText()} has room`).toBe(false);
  }
  await trail.getByRole('link', { name: 'one of many' }).click();
  await expect(head).toBeFocused();
  await expect(head).toHaveAttribute('aria-expanded', 'true');
  await expect(panel.getByRole('treeitem', { name: run.name })).toBeVisible();
  const workspace = panel.getByRole('combobox', { name: 'Workspace' });
  await expect(workspace).toHaveValue('addressed');
  await openPage(lab, 'workspaces/default');
  await expect(workspace).toHaveValue('default');
  await trail.getByRole('link', { name: 'addressed' }).click();
  await expect(workspace).toHaveValue('addressed');
  await lab.close();

  await server.send('POST', `/experiments/${run.experiment_id}/archive`);
  const second = await openLab(
    context,
    `${baseURL}/mlws/open/experiments/${run.experiment_id}`
  );
  // The Lab may give the focus to its launcher then; the row is selected and unfolded all the same.
  const archived = second
    .locator(`#${PANEL}`)
    .getByRole('treeitem', { name: /one of many/ });
  await expect(archived).toHaveAttribute('aria-selected', 'true');
  await expect(archived).toHaveAttribute('aria-expanded', 'true');
  await expect(second.locator(`#${PANEL}`)).toContainText(
    'Archived experiments'
  );
  await second.close();
});

test('what is no address says so', async ({ context, baseURL }) => {
  const page = await openLab(context, `${baseURL}/lab/workspaces/nowhere`);
  const told = (text: string): Locator =>
    page.locator('.Toastify__toast', { hasText: text });
  await openPage(page, 'models/7');
  await expect(told('has no page “models/7”')).toBeVisible();
  const nobody = 'f'.repeat(32);
  await openPage(page, 'experiments/999999');
  await expect(told('experiments/999999 cannot be shown')).toBeVisible();
  await openPage(page, 'workspaces/nowhere');
  await expect(told('There is no workspace')).toBeVisible();
  await openPage(page, `runs/${nobody}`);
  const gone = pageOf(page, nobody);
  await expect(gone).toContainText(`There is no run ${nobody}`);
  await gone.getByRole('button', { name: 'Close this page' }).click();
  await expect(gone).toHaveCount(0);
});
