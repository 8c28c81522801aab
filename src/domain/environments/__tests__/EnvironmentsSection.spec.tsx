import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { ApiError } from '../../../api/errors';
import { aBuild, anEnvironment, aVersion } from '../../../testing/environments';
import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { EnvironmentsSection } from '../EnvironmentsSection';
import type { Environment } from '../types';

const VERSION =
  '/workspaces/{workspace}/environments/{name}/versions/{version}/build';

describe('EnvironmentsSection', () => {
  function show(
    environments: readonly Environment[],
    verbs: Record<string, (call: ICall) => unknown> = {}
  ): void {
    const api = anApi({
      'GET /workspaces/{workspace}/environments': ({ params }) => ({
        // Two pages, to be read both.
        environments: params?.query?.['cursor']
          ? environments.slice(1)
          : environments.slice(0, 1),
        next_cursor:
          environments.length > 1 && !params?.query?.['cursor'] ? 'next' : null
      }),
      'GET /workspaces/{workspace}/environments/{name}': ({ params }) => ({
        versions: environments
          .filter(({ name }) => name === params?.path?.['name'])
          .map(({ latest }) => latest),
        next_cursor: null
      }),
      ...verbs
    });
    renderWithServer(<EnvironmentsSection workspace="lab" />, api);
  }

  it('lists what is archived when that is opened, and brings it back', async () => {
    const user = userEvent.setup();
    const restored: unknown[] = [];
    let archived = [anEnvironment({ name: 'old', versions: 2 })];
    show([], {
      'GET /workspaces/{workspace}/environments': ({ params }) => ({
        environments: params?.query?.['archived'] ? archived : [],
        next_cursor: null
      }),
      'POST /workspaces/{workspace}/environments/{name}/restore': ({
        params
      }) => {
        restored.push(params?.path);
        archived = [];
      }
    });
    const summary = await screen.findByText('Archived');
    expect(screen.queryByText('2 versions')).toBeNull();
    await user.click(summary);
    expect(await screen.findByText('2 versions')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Restore old' }));
    expect(await screen.findByText(/^None\. New jobs/)).toBeVisible();
    expect(restored).toEqual([{ workspace: 'lab', name: 'old' }]);
    expect(summary).toHaveFocus();
  });

  it('teaches while there is none', async () => {
    show([]);
    expect(await screen.findByText(/until you give them/)).toBeVisible();
    expect(screen.getByText(/^mlws environment create/)).toBeVisible();
  });

  it('lists all pages, each with kind, version and how far it is built', async () => {
    show([
      anEnvironment({ name: 'one', latest: aVersion({ version: 3 }) }),
      anEnvironment({
        name: 'two',
        latest: aVersion({ build: aBuild({ status: 'Failed' }) })
      })
    ]);
    expect(
      await screen.findByRole('button', { name: /one 3 · requirements Ready/ })
    ).toBeVisible();
    expect(
      screen.getByRole('button', { name: /two 1 · requirements Failed/ })
    ).toBeVisible();
  });

  it('shows what is made of what, and builds it', async () => {
    const sent: unknown[] = [];
    const user = userEvent.setup();
    const latest = aVersion({ build: aBuild({ status: 'NotBuilt' }) });
    show([anEnvironment({ latest })], {
      [`POST ${VERSION}`]: ({ params }) => sent.push(params?.path)
    });
    await user.click(await screen.findByRole('button', { name: /^sklearn/ }));
    expect(
      await screen.findByLabelText('Definition of sklearn:1')
    ).toHaveTextContent('scikit-learn==1.5.2');
    await user.click(screen.getByRole('button', { name: 'Build' }));
    expect(sent).toEqual([{ workspace: 'lab', name: 'sklearn', version: '1' }]);
  });

  it('reads the log of a build on from where it stopped, and cancels it', async () => {
    const offsets: unknown[] = [];
    const canceled = jest.fn();
    const user = userEvent.setup();
    const latest = aVersion({
      build: aBuild({ status: 'Building', started_at: 1, ended_at: null })
    });
    show([anEnvironment({ latest })], {
      [`GET ${VERSION}/log`]: ({ params }) => {
        const offset = params?.query?.['offset'] as number;
        offsets.push(offset);
        return {
          text: offset === 0 ? 'first\n' : 'second\n',
          offset,
          next_offset: offset + 6,
          size: 12,
          done: offset > 0
        };
      },
      [`POST ${VERSION}/cancel`]: canceled
    });
    await user.click(await screen.findByRole('button', { name: /^sklearn/ }));
    expect(await screen.findByLabelText('Log of the build')).toBeVisible();
    expect(offsets).toEqual([0, 6]);
    await user.click(screen.getByRole('button', { name: 'Cancel the build' }));
    expect(canceled).toHaveBeenCalledTimes(1);
  });

  it('makes one and builds it at once', async () => {
    const sent: unknown[] = [];
    const user = userEvent.setup();
    const made = aVersion({ build: aBuild({ status: 'NotBuilt' }) });
    show([], {
      'POST /workspaces/{workspace}/environments': ({ body }) => {
        sent.push(body);
        return made;
      },
      [`POST ${VERSION}`]: ({ params }) => sent.push(params?.path?.['version'])
    });
    const [button] = await screen.findAllByRole('button', {
      name: 'New environment…'
    });
    await user.click(button as HTMLElement);
    expect(screen.getByLabelText('Name')).toHaveFocus();
    await user.type(screen.getByLabelText('Name'), '-x');
    expect(screen.getByText(/begins with a letter/)).toBeVisible();
    await user.clear(screen.getByLabelText('Name'));
    await user.type(screen.getByLabelText('Name'), 'sklearn');
    expect(screen.getByRole('button', { name: 'Create' })).toBeDisabled();
    await user.type(screen.getByLabelText('Packages'), 'pandas');
    await user.click(screen.getByLabelText('For notebooks too'));
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(sent).toEqual([
      {
        name: 'sklearn',
        definition: {
          kind: 'requirements',
          requirements: 'pandas',
          notebooks: false
        }
      },
      '1'
    ]);
    expect(screen.queryByRole('button', { name: 'Create' })).toBeNull();
  });

  it('shows the refused line at the field that has it', async () => {
    const user = userEvent.setup();
    show([anEnvironment()], {
      'POST /workspaces/{workspace}/environments': () => {
        throw new ApiError(
          400,
          'unusable_definition',
          "Line 2 ('-r more.txt') is refused.",
          'definition.requirements'
        );
      }
    });
    await user.click(await screen.findByRole('button', { name: /^sklearn/ }));
    await user.click(
      await screen.findByRole('button', { name: 'New version…' })
    );
    const packages = screen.getByLabelText('Packages');
    expect(packages).toHaveValue('scikit-learn==1.5.2\n');
    await user.type(packages, '-r more.txt');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByText(/^Line 2/)).toBeVisible();
    expect(packages).toBeInvalid();
    expect(packages).toHaveAccessibleDescription(/Line 2/);
    await user.type(packages, 'x');
    expect(screen.queryByText(/^Line 2/)).toBeNull();
  });

  it('archives with a way back', async () => {
    const sent: string[] = [];
    const user = userEvent.setup();
    show([anEnvironment()], {
      'POST /workspaces/{workspace}/environments/{name}/archive': () =>
        sent.push('archive'),
      'POST /workspaces/{workspace}/environments/{name}/restore': () =>
        sent.push('restore')
    });
    await user.click(await screen.findByRole('button', { name: /^sklearn/ }));
    await user.click(await screen.findByRole('button', { name: 'Archive' }));
    expect(await screen.findByText('sklearn is archived.')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Undo' }));
    expect(sent).toEqual(['archive', 'restore']);
    expect(screen.queryByText('sklearn is archived.')).toBeNull();
  });
});

describe('the names from elsewhere', () => {
  async function open(
    workspace: string | null,
    sent: unknown[] = []
  ): Promise<HTMLElement> {
    const aliases = [
      { alias: 'azureml:sk*', environment: 'sklearn', from_settings: false },
      { alias: 'fixed', environment: 'sklearn:1', from_settings: true }
    ];
    const api = anApi({
      'GET /workspaces/{workspace}/environments': () => ({
        environments: [],
        next_cursor: null
      }),
      'GET /info': () => ({ actor: { kind: 'user', name: 'ada', workspace } }),
      'GET /environment-aliases': () => ({ aliases }),
      'PATCH /environment-aliases': ({ body }) => {
        sent.push(body);
        return { aliases };
      }
    });
    renderWithServer(<EnvironmentsSection workspace="lab" />, api);
    await userEvent.click(await screen.findByText('Names from elsewhere'));
    return screen.findByRole('table');
  }

  it('are changed, removed and added where they stand', async () => {
    const sent: unknown[] = [];
    const table = within(await open(null, sent));
    const user = userEvent.setup();
    const input = await table.findByLabelText('What azureml:sk* means here');
    await user.clear(input);
    await user.type(input, 'other{Escape}');
    expect(input).toHaveValue('sklearn');
    await user.type(input, ':2{Enter}');
    await user.click(
      await table.findByRole('button', { name: 'Remove azureml:sk*' })
    );
    expect(
      table.getByRole('button', { name: /stands in the server’s settings/ })
    ).toBeDisabled();
    const form = within(screen.getByRole('form', { name: 'New alias' }));
    await user.type(form.getByLabelText('Name elsewhere'), 'azureml:torch');
    await user.type(form.getByLabelText('Environment here'), 'torch');
    await user.click(form.getByRole('button', { name: 'Add' }));
    expect(sent).toEqual([
      { aliases: { 'azureml:sk*': 'sklearn:2' } },
      { aliases: { 'azureml:sk*': null } },
      { aliases: { 'azureml:torch': 'torch' } }
    ]);
  });

  it('are only read by who is bound to a workspace', async () => {
    const table = within(await open('lab'));
    expect(table.getByText('azureml:sk*')).toBeVisible();
    expect(table.queryByRole('textbox')).toBeNull();
    expect(screen.queryByRole('form', { name: 'New alias' })).toBeNull();
  });
});
