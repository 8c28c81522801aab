import { useTrans } from '../../../ui';
import type { TreeRow } from '../rows';

/** A word about what stands, or does not stand, below an experiment. */
export function NoteRow(props: {
  row: Extract<TreeRow, { kind: 'note' }>;
}): JSX.Element {
  const trans = useTrans();
  const words = {
    loading: trans.__('Loading…'),
    failed: trans.__('The runs could not be loaded. Enter tries again.'),
    'no-runs': trans.__('No runs yet'),
    'found-runs': trans.__('Runs')
  };
  return (
    <span className="jp-mlws-tree-note jp-mlws-ellipsis">
      {words[props.row.note]}
    </span>
  );
}

/** "… 21 more". */
export function MoreRow(props: {
  row: Extract<TreeRow, { kind: 'more' }>;
}): JSX.Element {
  const trans = useTrans();
  const { hidden } = props.row;
  return (
    <span className="jp-mlws-tree-more">
      {hidden === null
        ? trans.__('… more')
        : trans._n('… %1 more', '… %1 more', hidden)}
    </span>
  );
}
