import { screen } from '@testing-library/react';

import { aRun } from '../../../testing/runs';
import { anApi, renderWithServer } from '../../../testing/server';
import { RunHostProvider, type IRunHost } from '../host';
import { AboutCard } from '../overview/AboutCard';
import { TagsCard } from '../overview/TagsCard';

const host: IRunHost = {
  Markdown: () => <></>,
  Notebook: () => <></>,
  openCopy: () => Promise.resolve(),
  openFile: () => undefined,
  openConsole: () => Promise.resolve()
};
const ORIGIN = '0123456789abcdef0123456789abcdef';

describe('AboutCard', () => {
  it('leads from a re-run to the run that it repeats', () => {
    const run = aRun({ tags: { 'mlws.rerun_of': ORIGIN, team: 'vision' } });
    renderWithServer(
      <RunHostProvider value={host}>
        <AboutCard run={run} />
        <TagsCard run={run} />
      </RunHostProvider>,
      anApi({})
    );
    expect(screen.getByText('Re-run of')).toBeInTheDocument();
    expect(screen.getByTitle(ORIGIN)).toHaveTextContent('01234567');
    expect(screen.getByText('team=vision')).toBeInTheDocument();
    expect(screen.queryByText(/mlws\.rerun_of/)).toBeNull();
  });

  it('shows a job as YAML once somebody asks for it', async () => {
    const run = aRun({ kind: 'command' });
    const asked = jest.fn();
    renderWithServer(
      <RunHostProvider value={host}>
        <AboutCard run={run} />
      </RunHostProvider>,
      anApi({
        'GET /jobs/{run_id}/file': asked.mockReturnValue({
          text: 'type: command\n',
          warnings: []
        })
      })
    );
    expect(asked).not.toHaveBeenCalled();
    screen.getByText('Show as YAML').click();
    expect(await screen.findByLabelText('Job file')).toHaveTextContent(
      'type: command'
    );
  });

  it('makes no link of a tag that names no run', () => {
    const run = aRun({ tags: { 'mlws.rerun_of': 'javascript:alert(1)' } });
    renderWithServer(
      <RunHostProvider value={host}>
        <AboutCard run={run} />
      </RunHostProvider>,
      anApi({})
    );
    expect(screen.queryByText('Re-run of')).toBeNull();
  });
});
