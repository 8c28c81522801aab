import { editIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';

import { ErrorNotice, IconButton, useFocusBack, useTrans } from '../../../ui';
import { useRunHost } from '../host';
import { useSaveNote } from '../mutations';
import type { Run } from '../types';
import { Card } from './Card';
import { NoteEditor } from './NoteEditor';

interface IDraft {
  text: string;
  /** The note that the editing began with, or that was seen since. */
  base: string;
}

/** A note in Markdown, drawn by the Lab's own renderer as untrusted text. */
export function NoteCard(props: { run: Run }): JSX.Element {
  const { run } = props;
  const trans = useTrans();
  const { Markdown } = useRunHost();
  const save = useSaveNote(run.id);
  const [draft, setDraft] = useState<IDraft | null>(null);
  const [pencil, focusPencil] = useFocusBack<HTMLButtonElement>();
  const open = (): void => {
    save.reset();
    setDraft({ text: run.note, base: run.note });
  };
  const leave = (): void => {
    focusPencil();
    setDraft(null);
  };
  const theirs =
    draft && run.note !== draft.base && run.note !== draft.text
      ? run.note
      : null;
  const submit = (): void => {
    if (!draft || theirs !== null || save.isPending) {
      return;
    }
    if (draft.text === run.note) {
      leave();
      return;
    }
    save.mutate({ note: draft.text, base: draft.base }, { onSuccess: leave });
  };
  return (
    <Card
      title={trans.__('Note')}
      actions={
        draft === null && (
          <IconButton
            ref={pencil}
            icon={editIcon}
            label={trans.__('Edit the note')}
            onClick={open}
          />
        )
      }
    >
      {save.error && theirs === null && <ErrorNotice error={save.error} />}
      {draft !== null ? (
        <NoteEditor
          text={draft.text}
          theirs={theirs}
          busy={save.isPending}
          onChange={text => setDraft({ ...draft, text })}
          onTakeTheirs={() => setDraft({ text: run.note, base: run.note })}
          onKeepMine={() => {
            save.reset();
            setDraft({ ...draft, base: run.note });
          }}
          onSave={submit}
          onCancel={leave}
        />
      ) : run.note ? (
        <Markdown source={run.note} />
      ) : (
        <button type="button" className="jp-mlws-link" onClick={open}>
          {trans.__('Write what you tried and what you found')}
        </button>
      )}
    </Card>
  );
}
