import { expect, test, type Locator, type Page } from '@playwright/test';

import { openLab, openPage, PANEL, Server, type IRun } from './workspace';

const SHOWN = 60_000;
/** Runs in any place that takes it for HTML. It has no slash, so that it can also be the name of a file. */
const EVIL = '<img src=x onerror="window.__pwn=1">';
const SCRIPT = `${EVIL}<script>window.__pwn=1</script>`;
const LINK = 'javascript:window.__pwn=1';

declare global {
  interface Window {
    /** Set by a payload that ran. */
    __pwn?: number;
  }
}

/** Files whose content attacks who shows them; their names do too. */
const FILES: Record<string, string> = {
  [`${EVIL}.txt`]: SCRIPT,
  'drawn.svg': `<svg xmlns="http://www.w3.org/2000/svg" onload="window.__pwn=1"><script>window.__pwn=1</script><rect width="9" height="9"/></svg>`,
  'page.html': `<body onload="window.__pwn=1">${SCRIPT}</body>`,
  'table.csv': `a,${EVIL.replaceAll('"', '')}\n1,${EVIL.replaceAll('"', '')}\n`,
  'data.json': JSON.stringify({ [SCRIPT]: SCRIPT }),
  'notes.md': `${SCRIPT}\n\n[click](${LINK})`,
  'cells.ipynb': JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { trusted: true },
    cells: [
      {
        id: 'a',
        cell_type: 'markdown',
        source: SCRIPT,
        metadata: { trusted: true }
      },
      {
        id: 'b',
        cell_type: 'code',
        source: SCRIPT,
        execution_count: 1,
        metadata: { trusted: true },
        outputs: [
          {
            output_type: 'display_data',
            metadata: {},
            data: {
              'text/html': SCRIPT,
              'application/javascript': 'window.__pwn=1',
              'image/svg+xml': `<svg xmlns="http://www.w3.org/2000/svg" onload="window.__pwn=1"/>`
            }
          },
          {
            output_type: 'error',
            ename: EVIL,
            evalue: SCRIPT,
            traceback: [SCRIPT]
          }
        ]
      }
    ]
  })
};

const path = (name: string): string => encodeURIComponent(name);

/** A run with the payload in every field that takes text. */
async function plant(server: Server): Promise<IRun> {
  const { id } = await server.send<IRun>('POST', '/workspaces/evil/runs', {
    experiment: `experiment ${SCRIPT}`,
    name: `run ${SCRIPT}`,
    note: `${SCRIPT}\n\n[click](${LINK})\n\n<iframe src="${LINK}"></iframe>`,
    source: `${EVIL}.ipynb`,
    params: { [`param ${EVIL}`]: SCRIPT },
    tags: { [`tag ${EVIL}`]: SCRIPT }
  });
  const time = Date.now();
  const key = `metric ${EVIL}`;
  await server.log(id, {
    metrics: [0, 1, 2].flatMap(step => [
      { key, value: step, step, time },
      { key: `${EVIL}/grouped`, value: step, step, time }
    ])
  });
  await server.send('POST', `/runs/${id}/io`, {
    inputs: [{ name: `input ${EVIL}`, uri: LINK }],
    outputs: [{ name: `output ${EVIL}`, uri: SCRIPT }]
  });
  await server.send('PUT', `/runs/${id}/environment`, {
    kernel_display_name: SCRIPT,
    language: EVIL,
    platform: EVIL,
    packages: { [`package ${EVIL}`]: EVIL },
    git: {
      commit: 'c'.repeat(40),
      branch: EVIL,
      remote: LINK,
      dirty: true,
      patch: `--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-${SCRIPT}\n+${SCRIPT}\n`
    }
  });
  for (const [name, content] of Object.entries(FILES)) {
    for (const area of ['artifacts', 'snapshot']) {
      await server.send(
        'PUT',
        `/runs/${id}/${area}/content?path=${path(name)}`,
        Buffer.from(content)
      );
    }
  }
  await server.send('POST', `/runs/${id}/end`, {
    status: 'Failed',
    error: {
      message: SCRIPT,
      kind: EVIL,
      cell: 1,
      cell_name: EVIL,
      traceback: SCRIPT
    }
  });
  const child = await server.send<IRun>('POST', '/workspaces/evil/runs', {
    experiment: `experiment ${SCRIPT}`,
    name: `child ${SCRIPT}`,
    parent_id: id
  });
  await server.send('POST', `/runs/${child.id}/end`, { status: 'Completed' });
  return server.get<IRun>(`/runs/${id}`);
}

/** Looks at every file of the tab that is shown. */
async function lookAtFiles(lab: Page, view: Locator): Promise<void> {
  for (const name of Object.keys(FILES)) {
    await view.getByRole('treeitem', { name }).click();
    const shown = view.getByRole('region', { name, exact: true });
    await expect(shown.locator('.jp-mlws-skeleton')).toHaveCount(0);
    await expect(
      shown.locator('pre, img, [role=grid], .jp-mlws-static-notebook').first()
    ).toBeVisible();
  }
  await expect(view.getByRole('tabpanel').getByRole('alert')).toHaveCount(0);
  await lab.waitForTimeout(300);
}

test('whatever stands in a field is only text', async ({
  context,
  request,
  baseURL
}) => {
  const server = new Server(request, baseURL ?? '');
  await server.freshWorkspace('evil', {
    display_name: `label ${SCRIPT}`,
    description: SCRIPT
  });
  const run = await plant(server);
  const lab = await openLab(context, `${baseURL}/lab/workspaces/evil?reset`);
  const unharmed = async (where: string): Promise<void> => {
    expect(await lab.evaluate(() => window.__pwn), where).toBeUndefined();
  };
  await openPage(lab, 'workspaces/evil');
  await openPage(lab, `runs/${run.id}`);
  const panel = lab.locator(`#${PANEL}`);
  await expect(
    panel.getByRole('treeitem', { name: `run ${SCRIPT}` })
  ).toBeVisible();
  await expect(
    panel.getByRole('treeitem', { name: `experiment ${SCRIPT}` })
  ).toBeVisible();
  await expect(
    panel.getByRole('combobox', { name: 'Workspace' })
  ).toContainText(`label ${SCRIPT}`);
  await unharmed('the sidebar');

  const view = lab.locator(`#jp-mlws-runs-${run.id}`);
  await expect(view.getByRole('heading', { level: 2 })).toHaveText(run.name);
  for (const text of [
    `param ${EVIL}`,
    `metric ${EVIL}`,
    `tag ${EVIL}=${SCRIPT}`,
    `input ${EVIL}`,
    `output ${EVIL}`,
    `package ${EVIL}`,
    `child ${SCRIPT}`
  ]) {
    await expect(view.getByText(text).first()).toBeVisible();
  }
  await expect(view.getByRole('alert')).toContainText(SCRIPT);
  await view.getByText('Traceback').first().click();
  await view.getByRole('button', { name: 'with changes' }).click();
  await expect(view.locator('[data-kind=add]')).toContainText(SCRIPT);
  // A note is drawn as Markdown, untrusted: its link is no script.
  await view.getByText('click', { exact: true }).click();
  await unharmed('the Overview');

  await view.getByRole('tab', { name: /^Metrics/ }).click();
  await expect(view.locator('.jp-mlws-metric-head')).toHaveCount(2);
  await view.getByLabel('Filter metrics').fill(SCRIPT);
  await unharmed('the Metrics');
  await view.getByRole('tab', { name: 'Snapshot' }).click();
  await lookAtFiles(lab, view);
  await view.getByRole('button', { name: 'Compare with working copy' }).click();
  await unharmed('the Snapshot');
  await view.getByRole('tab', { name: 'Outputs' }).click();
  await lookAtFiles(lab, view);
  await unharmed('the Outputs');

  // What is deleted or archived is told by its name; a filter that finds nothing repeats what was typed.
  await lab.evaluate(
    id => window.jupyterapp.commands.execute('jupyter-mlws:delete-run', { id }),
    run.id
  );
  const told = lab.locator('.Toastify__toast');
  await expect(told.getByText('is in the bin')).toContainText(SCRIPT);
  await expect(view).toContainText('This run is in the bin.');
  await panel.getByRole('searchbox').fill(`${SCRIPT} no`);
  await expect(panel).toContainText(`${SCRIPT} no`);
  await openPage(lab, SCRIPT.slice(0, 70));
  await expect(told.getByText('has no page')).toContainText(EVIL);
  await unharmed('the notifications');

  // The log of a job, and the news that it has failed: of a longer name the middle would be left out.
  const { run: job } = await server.send<{ run: IRun }>(
    'POST',
    '/workspaces/evil/jobs',
    {
      spec: {
        kind: 'command',
        command: `printf '%s\\n\\033[31m%s\\033[0m\\n' '${SCRIPT}' '${SCRIPT}'; exit 3`
      },
      name: `job ${EVIL}`
    }
  );
  await expect(told.getByText(`job ${EVIL}`)).toBeVisible({ timeout: SHOWN });
  await openPage(lab, `runs/${job.id}/logs`);
  const log = lab.locator(`#jp-mlws-runs-${job.id}`).getByRole('log');
  await expect(log.getByText(SCRIPT)).toHaveCount(2);
  await unharmed('the log');

  await openPage(lab, 'workspaces/evil/details');
  const workspaces = lab.locator('#jp-mlws-workspaces');
  await expect(workspaces).toContainText(`label ${SCRIPT}`);
  await expect(workspaces.locator('.jp-mlws-prose')).toHaveText(SCRIPT);
  await unharmed('the workspaces');

  // A file that is opened by its own address runs no script of ours either.
  for (const name of ['page.html', 'drawn.svg']) {
    const alone = await context.newPage();
    await alone
      .goto(
        `${baseURL}/mlws/api/v1/runs/${run.id}/artifacts/content?path=${name}`
      )
      // What is served as a download is no page.
      .catch(() => null);
    await alone.waitForTimeout(300);
    expect(await alone.evaluate(() => window.__pwn), name).toBeUndefined();
    await alone.close();
  }

  // The payload is a real one: where it is taken for HTML, it runs.
  await lab.evaluate(html => {
    document.body.insertAdjacentHTML('beforeend', html);
  }, EVIL);
  await expect.poll(() => lab.evaluate(() => window.__pwn)).toBe(1);
  await lab.close();
});
