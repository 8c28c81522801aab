import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { anApi, renderWithServer, type ICall } from '../../../testing/server';
import { RetentionForm } from '../RetentionForm';

/** The form of an experiment with this rule; what it saves is kept. */
function renderForm(rule: object | null): { saved: unknown[] } {
  const saved: unknown[] = [];
  const save = (call: ICall): object => {
    saved.push(call.body ?? null);
    return {};
  };
  const api = anApi({
    'GET /experiments/{experiment_id}/retention': () => ({
      rule,
      inherited: false
    }),
    'POST /experiments/{experiment_id}/retention/apply': ({ body }) => {
      const { rule: asked } = body as { rule: { keep_last?: number } };
      return {
        what: 'runs',
        runs: 12 - (asked.keep_last ?? 12),
        bytes_freed: 2000,
        spared: { best: 1 }
      };
    },
    'PUT /experiments/{experiment_id}/retention': save,
    'DELETE /experiments/{experiment_id}/retention': save
  });
  renderWithServer(
    <RetentionForm experimentId="7" onDone={() => undefined} />,
    api
  );
  return { saved };
}

describe('RetentionForm', () => {
  it('tells what would go before the rule is saved', async () => {
    const user = userEvent.setup();
    const { saved } = renderForm(null);
    await user.type(await screen.findByLabelText(/newest runs/), '9');
    expect(
      await screen.findByText(
        /Now 3 runs would go to the bin; 2 KiB become free/
      )
    ).toHaveTextContent('1 older run is spared');
    await user.click(screen.getByRole('button', { name: 'Save the rule' }));
    expect(saved).toEqual([{ what: 'runs', keep_last: 9 }]);
  });

  it('takes the rule away where nothing is to go', async () => {
    const user = userEvent.setup();
    const { saved } = renderForm({ what: 'outputs', keep_days: 30 });
    await user.clear(await screen.findByLabelText(/so many days/));
    await user.click(screen.getByRole('button', { name: 'Keep all runs' }));
    expect(saved).toEqual([null]);
  });
});
