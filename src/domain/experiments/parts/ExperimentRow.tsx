import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { formatNumber, formatNumberFull } from '../../../lib/format';
import { toNumber } from '../../../lib/metricValue';
import { StatusIcon, useTrans } from '../../../ui';
import { liveCount } from '../format';
import { useSidebarHost } from '../host';
import { useRenameExperiment } from '../mutations';
import type { TreeRow } from '../rows';
import type { Experiment } from '../types';
import { useFreshHead } from '../useFreshHead';
import { NameInput } from './NameInput';

type ExperimentTreeRow = Extract<TreeRow, { kind: 'experiment' }>;

/** An experiment: its name, how many runs it has, and its best value. */
export function ExperimentRow(props: {
  row: ExperimentTreeRow;
  editing: boolean;
}): JSX.Element {
  const { row, editing } = props;
  const trans = useTrans();
  const experiment = useFreshHead(row.experiment);
  const { best, goal, runs } = experiment;
  const live = liveCount(experiment);
  const Caret = row.expanded ? caretDownIcon : caretRightIcon;
  const value = best && toNumber(best.value);
  return (
    <>
      <Caret.react
        tag="span"
        className="jp-mlws-tree-caret"
        aria-hidden="true"
      />
      {editing ? (
        <ExperimentName experiment={experiment} />
      ) : (
        <span className="jp-mlws-tree-name jp-mlws-ellipsis">
          {experiment.name}
        </span>
      )}
      {live > 0 && (
        <span
          className="jp-mlws-status jp-mlws-tree-live"
          data-status="Running"
          title={trans._n(
            '%1 run has not ended',
            '%1 runs have not ended',
            live
          )}
        >
          <StatusIcon status="Running" />
          {live}
          <span className="jp-mlws-sr-only">{trans.__('running')}</span>
        </span>
      )}
      <span className="jp-mlws-tree-count">
        {trans._n('%1 run', '%1 runs', runs)}
      </span>
      {best && goal && (
        <span
          className="jp-mlws-number jp-mlws-tree-best"
          title={trans.__(
            'Best %1: %2, of %3',
            goal.metric,
            formatNumberFull(value),
            best.run_name
          )}
        >
          <span role="img" aria-label={trans.__('best')}>
            ★
          </span>{' '}
          {formatNumber(value)}
        </span>
      )}
    </>
  );
}

function ExperimentName(props: { experiment: Experiment }): JSX.Element {
  const { experiment } = props;
  const trans = useTrans();
  const { model } = useSidebarHost();
  const rename = useRenameExperiment(experiment.id);
  return (
    <NameInput
      name={experiment.name}
      label={trans.__('New name of the experiment %1', experiment.name)}
      save={rename.mutateAsync}
      onDone={() => model.edit(null)}
    />
  );
}
