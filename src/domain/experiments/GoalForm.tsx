import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { unwrap } from '../../api/client';
import { useApi } from '../../api/context';
import { Field, Form, SelectField, Skeleton, useTrans } from '../../ui';
import { runKeys } from '../runs';
import { experimentKeys, experimentQueries } from './queries';
import type { Experiment, Goal } from './types';

/** So many runs are looked at for names of metrics. */
const LOOKED_AT = 20;

/** Chooses the metric that says which run of an experiment is best. */
export function GoalForm(props: {
  experimentId: string;
  onDone: () => void;
}): JSX.Element {
  const head = useQuery(experimentQueries.head(useApi(), props.experimentId));
  return head.data ? (
    <GoalFields experiment={head.data} onDone={props.onDone} />
  ) : (
    <Skeleton count={3} />
  );
}

function GoalFields(props: {
  experiment: Experiment;
  onDone: () => void;
}): JSX.Element {
  const { experiment, onDone } = props;
  const trans = useTrans();
  const [metric, setMetric] = useState(experiment.goal?.metric ?? '');
  const [direction, setDirection] = useState<Goal['direction']>(
    experiment.goal?.direction ?? 'maximize'
  );
  const save = useSaveGoal(experiment.id, onDone);
  return (
    <Form
      label={trans.__('Goal of %1', experiment.name)}
      submitLabel={trans.__('Save')}
      busy={save.isPending}
      error={save.error}
      onCancel={onDone}
      onSubmit={() =>
        save.mutate(metric.trim() ? { metric: metric.trim(), direction } : null)
      }
    >
      <MetricField
        experiment={experiment}
        value={metric}
        onChange={setMetric}
      />
      <SelectField
        label={trans.__('The best run has')}
        value={direction}
        options={[
          { value: 'maximize', label: trans.__('the greatest value') },
          { value: 'minimize', label: trans.__('the smallest value') }
        ]}
        onChange={setDirection}
      />
    </Form>
  );
}

function MetricField(props: {
  experiment: Experiment;
  value: string;
  onChange: (value: string) => void;
}): JSX.Element {
  const { experiment, value, onChange } = props;
  const trans = useTrans();
  const list = useId();
  const { data } = useQuery(
    experimentQueries.latest(useApi(), experiment, LOOKED_AT)
  );
  const names = new Set(data?.runs.flatMap(run => Object.keys(run.metrics)));
  return (
    <Field
      label={trans.__('Metric')}
      help={trans.__('Empty: the experiment has no goal.')}
    >
      {attributes => (
        <>
          <input
            {...attributes}
            type="text"
            className="jp-mlws-input"
            list={list}
            autoComplete="off"
            value={value}
            onChange={event => onChange(event.target.value)}
          />
          <datalist id={list}>
            {[...names].sort().map(name => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function useSaveGoal(id: string, onDone: () => void) {
  const api = useApi();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (goal: Goal | null) =>
      unwrap(
        api.PATCH('/experiments/{experiment_id}', {
          params: { path: { experiment_id: id } },
          body: { goal }
        })
      ),
    onSuccess: async experiment => {
      client.setQueryData(runKeys.of(id, 'head'), experiment);
      await client.invalidateQueries({ queryKey: experimentKeys.all });
      onDone();
    }
  });
}
