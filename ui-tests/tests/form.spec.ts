import { expect, test } from '@jupyterlab/galata';

import { openNotebook, pressRun, Server, TRAINING } from './workspace';

test('the form holds the keys, and shows its job as a file that the server reads', async ({
  page,
  request,
  baseURL,
  tmpPath
}) => {
  const server = new Server(request, baseURL ?? '');
  await page.contents.uploadContent(
    TRAINING,
    'text',
    `${tmpPath}/training.ipynb`
  );
  await openNotebook(page, `${tmpPath}/training.ipynb`);

  // Its first field has the focus by itself; Tab stays within, and Escape leaves.
  const first = await pressRun(page);
  await expect(
    first.getByRole('combobox', { name: 'Experiment' })
  ).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await expect(
    first.getByRole('button', { name: 'Run', exact: true })
  ).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(first).toHaveCount(0);

  // The palette has it too, as long as a notebook is in front.
  await page.keyboard.press('Control+Shift+KeyC');
  const palette = page.locator('#modal-command-palette');
  await palette.locator('input').fill('run notebook as experiment');
  await palette
    .getByText('Run Notebook as Experiment…', { exact: true })
    .click();
  const dialog = page.getByRole('dialog');
  await expect(
    dialog.getByRole('combobox', { name: 'Experiment' })
  ).toBeFocused();
  await expect(dialog).toContainText('training.ipynb');
  await dialog.getByLabel('learning_rate', { exact: true }).fill('0.1');
  await dialog.getByLabel('Run name').fill('no');
  // A click beside it throws nothing away.
  await page.mouse.click(5, 5);
  await dialog.getByText('Show as YAML').click();
  const yaml = dialog.getByLabel('Job file');
  await expect(yaml).toContainText('learning_rate: 0.1');
  const { job } = await server.send<{ job: object }>(
    'POST',
    '/workspaces/default/jobs/file/validate',
    { text: (await yaml.textContent()) ?? '', folder: tmpPath }
  );
  expect(job).toMatchObject({
    name: 'no',
    experiment: 'training',
    spec: {
      notebook: 'training.ipynb',
      parameters: { learning_rate: 0.1 }
    }
  });
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});
