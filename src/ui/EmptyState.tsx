import { CopyButton } from './CopyButton';
import { useTrans } from './trans';

export interface IEmptyStateProps {
  /** One sentence: what is not there yet, and what brings it. */
  text: string;
  action?: { label: string; onClick: () => void };
  /** One line to copy and run. */
  code?: string;
}

/** What stands where there is nothing yet. It teaches: one sentence, one button, one line. */
export function EmptyState(props: IEmptyStateProps): JSX.Element {
  const { text, action, code } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-empty">
      <p>{text}</p>
      {action && (
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-primary"
          onClick={action.onClick}
        >
          {action.label}
        </button>
      )}
      {code && (
        <div className="jp-mlws-code-line">
          <code>{code}</code>
          <CopyButton text={code} label={trans.__('Copy this line')} />
        </div>
      )}
    </div>
  );
}
