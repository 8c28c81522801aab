import { useTrans } from '../../../ui';

export interface INoteEditorProps {
  text: string;
  /** What somebody else made of the note since the editing began; null where nobody did. */
  theirs: string | null;
  busy: boolean;
  onChange: (text: string) => void;
  onTakeTheirs: () => void;
  onKeepMine: () => void;
  onSave: () => void;
  onCancel: () => void;
}

/** The note as text. Ctrl+Enter saves, Escape leaves it as it was. */
export function NoteEditor(props: INoteEditorProps): JSX.Element {
  const { text, theirs, busy, onChange, onSave, onCancel } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-form">
      <textarea
        className="jp-mlws-input jp-mlws-note-input"
        aria-label={trans.__('Note in Markdown')}
        rows={6}
        // It appears because somebody asked to write.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={text}
        onChange={event => onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            onCancel();
          } else if (
            event.key === 'Enter' &&
            (event.ctrlKey || event.metaKey)
          ) {
            event.preventDefault();
            event.stopPropagation();
            onSave();
          }
        }}
      />
      {theirs !== null && (
        <Conflict
          theirs={theirs}
          onTake={props.onTakeTheirs}
          onKeep={props.onKeepMine}
        />
      )}
      <div className="jp-mlws-form-actions">
        <button type="button" className="jp-mlws-button" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-primary"
          title={
            theirs === null
              ? trans.__('Save (Ctrl+Enter)')
              : trans.__('Choose one of the two notes first')
          }
          disabled={busy || theirs !== null}
          onClick={onSave}
        >
          {trans.__('Save')}
        </button>
      </div>
    </div>
  );
}

/** Shows the other note, and asks which of the two goes on. */
function Conflict(props: {
  theirs: string;
  onTake: () => void;
  onKeep: () => void;
}): JSX.Element {
  const { theirs, onTake, onKeep } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-warning" role="alert">
      <p>
        {theirs
          ? trans.__('The note was changed meanwhile. It is now:')
          : trans.__('The note was emptied meanwhile.')}
      </p>
      {theirs && <pre className="jp-mlws-other-note">{theirs}</pre>}
      <div className="jp-mlws-form-actions">
        <button type="button" className="jp-mlws-button" onClick={onTake}>
          {trans.__('Take that one')}
        </button>
        <button type="button" className="jp-mlws-button" onClick={onKeep}>
          {trans.__('Go on with mine')}
        </button>
      </div>
    </div>
  );
}
