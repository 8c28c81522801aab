import { CopyButton } from './CopyButton';
import { errorDetails, errorSentence } from './errorText';
import { useTrans } from './trans';

export interface IErrorNoticeProps {
  error: unknown;
  /** What could not be done: "The runs could not be loaded." */
  title?: string;
  onRetry?: () => void;
}

/** An error, where it happened: what, why, and what to do. */
export function ErrorNotice(props: IErrorNoticeProps): JSX.Element {
  const { error, title, onRetry } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-error" role="alert">
      <div className="jp-mlws-error-text">
        {title && <strong>{title}</strong>}
        <span>{errorSentence(error, trans)}</span>
      </div>
      <div className="jp-mlws-error-actions">
        {onRetry && (
          <button type="button" className="jp-mlws-button" onClick={onRetry}>
            {trans.__('Retry')}
          </button>
        )}
        <CopyButton
          withWord
          text={() => errorDetails(error)}
          label={trans.__('Copy details')}
        />
      </div>
    </div>
  );
}
