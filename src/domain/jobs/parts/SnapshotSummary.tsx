import { formatBytes } from '../../../lib/format';
import { CheckboxField, useTrans } from '../../../ui';
import { snapshotWords } from '../target';
import type { ComputeTarget, NotebookInspection } from '../types';

const SHOWN = 200;

export interface ISnapshotSummaryProps {
  inspection: NotebookInspection;
  /** Where the job is to run; undefined while that is not known. */
  target: ComputeTarget | undefined;
  /** Why somebody must say that this is meant; null when nobody must. */
  confirmation: string | null;
  confirmed: boolean;
  problem: string | undefined;
  onConfirm: (confirmed: boolean) => void;
}

/** What is frozen with the run, and what is only linked to. */
export function SnapshotSummary(props: ISnapshotSummaryProps): JSX.Element {
  const { inspection, confirmation, confirmed, onConfirm, problem } = props;
  const { not_captured: left, snapshot_files: files } = inspection;
  const trans = useTrans();
  const words = snapshotWords(props.target, left.length, trans);
  const size = formatBytes(inspection.snapshot_bytes);
  return (
    <div className="jp-mlws-snapshot-summary">
      <div>
        {trans._n(
          'Snapshot: %1 file of this folder, %2.',
          'Snapshot: %1 files of this folder, %2.',
          files,
          size
        )}
        {words.files && ` ${words.files}`}
      </div>
      {left.length > 0 && (
        <details>
          <summary>{words.left}</summary>
          <ul>
            {left.slice(0, SHOWN).map(path => (
              <li key={path}>{path}</li>
            ))}
            {left.length > SHOWN && (
              <li>{trans.__('… and %1 more', left.length - SHOWN)}</li>
            )}
          </ul>
        </details>
      )}
      {confirmation && (
        <div className="jp-mlws-warning">
          <p>{confirmation}</p>
          <CheckboxField
            label={trans.__('Take this snapshot')}
            value={confirmed}
            error={problem}
            onChange={onConfirm}
          />
        </div>
      )}
    </div>
  );
}
