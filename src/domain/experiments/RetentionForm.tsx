import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { Form, NumberField, SelectField, Skeleton, useTrans } from '../../ui';
import { runKeys } from '../runs';
import { planText, ruleText } from './retention';
import { experimentKeys, experimentQueries } from './queries';
import type { Retention, RetentionState } from './types';

/** Says which runs of an experiment are kept; the others go by themselves. */
export function RetentionForm(props: {
  experimentId: string;
  onDone: () => void;
}): JSX.Element {
  const state = useQuery(
    experimentQueries.retention(useApi(), props.experimentId)
  );
  return state.data ? (
    <RetentionFields {...props} state={state.data} />
  ) : (
    <Skeleton count={4} />
  );
}

function RetentionFields(props: {
  experimentId: string;
  state: RetentionState;
  onDone: () => void;
}): JSX.Element {
  const { experimentId, state, onDone } = props;
  const trans = useTrans();
  const [rule, setRule] = useState<Retention>(
    (state.inherited ? null : state.rule) ?? { what: 'runs' }
  );
  const change = (part: Partial<Retention>): void =>
    setRule(before => ({ ...before, ...part }));
  const empty = !rule.keep_days && !rule.keep_last;
  const save = useSaveRetention(experimentId, onDone);
  return (
    <Form
      label={trans.__('Clean-up of the experiment')}
      submitLabel={
        empty ? trans.__('Keep all runs') : trans.__('Save the rule')
      }
      busy={save.isPending}
      error={save.error}
      onCancel={onDone}
      onSubmit={() => save.mutate(empty ? null : rule)}
    >
      <NumberField
        label={trans.__('Keep runs for so many days after their end')}
        help={trans.__('Empty: their age does not matter.')}
        integer
        value={rule.keep_days ?? null}
        onChange={days => change({ keep_days: days })}
      />
      <NumberField
        label={trans.__('Keep the newest runs, so many')}
        help={trans.__('With days as well, a run goes if neither keeps it.')}
        integer
        value={rule.keep_last ?? null}
        onChange={last => change({ keep_last: last })}
      />
      <SelectField
        label={trans.__('What goes of the others')}
        value={rule.what ?? 'runs'}
        options={[
          { value: 'runs', label: trans.__('the runs, into the bin') },
          {
            value: 'outputs',
            label: trans.__('their files alone, for ever')
          }
        ]}
        onChange={what => change({ what })}
      />
      {empty ? (
        <p className="jp-mlws-muted">{ruleText(state, trans)}</p>
      ) : (
        <Preview experimentId={experimentId} rule={rule} />
      )}
    </Form>
  );
}

/** What the rule would do now, asked of the server. */
function Preview(props: {
  experimentId: string;
  rule: Retention;
}): JSX.Element {
  const trans = useTrans();
  const { data, error } = useQuery(
    experimentQueries.retentionPlan(useApi(), props.experimentId, props.rule)
  );
  return (
    <p className="jp-mlws-confirm-text" role="status">
      {data
        ? planText(data, trans)
        : error
          ? error.message
          : trans.__('Looking at what would go…')}
    </p>
  );
}

function useSaveRetention(id: string, onDone: () => void) {
  const api = useApi();
  const client = useQueryClient();
  const params = { path: { experiment_id: id } };
  return useMutation({
    mutationFn: (rule: Retention | null) =>
      rule
        ? unwrap(
            api.PUT('/experiments/{experiment_id}/retention', {
              params,
              body: rule
            })
          )
        : unwrap(
            api.DELETE('/experiments/{experiment_id}/retention', { params })
          ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: experimentKeys.all });
      await client.invalidateQueries({ queryKey: runKeys.all });
      onDone();
    }
  });
}
