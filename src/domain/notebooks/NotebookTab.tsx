import { useEffect, useMemo, useState } from 'react';

import { ErrorNotice, Skeleton, useTrans } from '../../ui';
import { HELD_TYPE, heldKey } from './held';
import type { NotebookOrigin } from './NotebookSource';
import { HeldOutput } from './parts/HeldOutput';
import { useNotebook } from './useNotebook';
import type { IHeldOutputView, ISavedNotebook, NotebookView } from './view';

export interface INotebookTabProps {
  origin: NotebookOrigin;
  /** Path of the notebook that was run. */
  source: string;
  /** The run's name, for the copy's file name. */
  label: string;
  View: NotebookView;
  target: { cell: number } | null;
  onOpenCopy: (copy: ISavedNotebook) => Promise<void>;
}

/** The notebook of a run, drawn by the Lab itself: untrusted, read only, growing while it runs. */
export function NotebookTab(props: INotebookTabProps): JSX.Element {
  const { origin, View, target } = props;
  const { document, source, loaded, complete, state, error, retry } =
    useNotebook(origin);
  const trans = useTrans();
  const held = useMemo<IHeldOutputView>(
    () => ({
      type: HELD_TYPE,
      keyOf: heldKey,
      render: (id, preferred) =>
        document && <HeldOutput {...{ id, document, source, preferred }} />
    }),
    [document, source]
  );
  const [sought, setSought] = useState<{ cell: number } | null>(null);
  useEffect(() => setSought(target), [target]);
  return (
    <div className="jp-mlws-notebook">
      <div
        className="jp-mlws-toolbar"
        role="toolbar"
        aria-label={trans.__('Notebook')}
      >
        <span className="jp-mlws-toolbar-text jp-mlws-ellipsis" role="status">
          {origin.kind === 'snapshot' &&
            trans.__('As it was when the run began')}
          {state.running !== null && (
            <button
              type="button"
              className="jp-mlws-link"
              onClick={() => setSought({ cell: state.running ?? 0 })}
            >
              {trans.__('Show the cell that is running')}
            </button>
          )}
        </span>
        <CopyAction
          disabled={!loaded}
          onCopy={async () => {
            const content = await source.whole();
            const { label } = props;
            await props.onOpenCopy({ source: props.source, label, content });
          }}
        />
      </div>
      {error !== null && (
        <ErrorNotice
          title={trans.__('The notebook could not be loaded.')}
          error={error}
          onRetry={retry}
        />
      )}
      {!loaded && error === null && <Skeleton shape="block" height={240} />}
      {document && loaded && (
        <View
          document={document}
          held={held}
          running={state.running}
          failed={state.failed}
          target={complete ? sought : null}
        />
      )}
    </div>
  );
}

function CopyAction(props: {
  disabled: boolean;
  onCopy: () => Promise<void>;
}): JSX.Element {
  const trans = useTrans();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const copy = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await props.onCopy();
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {error !== null && <ErrorNotice error={error} />}
      <button
        type="button"
        className="jp-mlws-button"
        title={trans.__(
          'Save this notebook as a new file beside its source, and open it'
        )}
        disabled={props.disabled || busy}
        onClick={() => void copy()}
      >
        {trans.__('Open a copy')}
      </button>
    </>
  );
}
