import { editIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';

import { ErrorNotice, IconButton, useTrans } from '../../../ui';
import { useRunHost } from '../host';
import { useUpdateRun } from '../mutations';
import type { Run } from '../types';
import { Card } from './Card';

/** A note in Markdown, drawn by the Lab's own renderer as untrusted text. */
export function NoteCard(props: { run: Run }): JSX.Element {
  const { run } = props;
  const trans = useTrans();
  const { Markdown } = useRunHost();
  const update = useUpdateRun(run.id);
  const [draft, setDraft] = useState<string | null>(null);
  const save = (): void => {
    if (draft !== null && draft !== run.note) {
      update.mutate({ note: draft }, { onError: () => setDraft(draft) });
    }
    setDraft(null);
  };
  return (
    <Card
      title={trans.__('Note')}
      actions={
        draft === null && (
          <IconButton
            icon={editIcon}
            label={trans.__('Edit the note')}
            onClick={() => setDraft(run.note)}
          />
        )
      }
    >
      {update.error && <ErrorNotice error={update.error} />}
      {draft !== null ? (
        <NoteEditor
          text={draft}
          onChange={setDraft}
          onSave={save}
          onCancel={() => setDraft(null)}
        />
      ) : run.note ? (
        <Markdown source={run.note} />
      ) : (
        <button
          type="button"
          className="jp-mlws-link"
          onClick={() => setDraft('')}
        >
          {trans.__('Write what you tried and what you found')}
        </button>
      )}
    </Card>
  );
}

function NoteEditor(props: {
  text: string;
  onChange: (text: string) => void;
  onSave: () => void;
  onCancel: () => void;
}): JSX.Element {
  const { text, onChange, onSave, onCancel } = props;
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
      <div className="jp-mlws-form-actions">
        <button type="button" className="jp-mlws-button" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-primary"
          title={trans.__('Save (Ctrl+Enter)')}
          onClick={onSave}
        >
          {trans.__('Save')}
        </button>
      </div>
    </div>
  );
}
