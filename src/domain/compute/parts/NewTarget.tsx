import { useCallback, useEffect, useId, useRef, useState } from 'react';

import { useTrans } from '../../../ui';
import { TARGET_KINDS, type TargetKind, type Texts } from '../fields';
import { kindWords } from '../kinds';
import { TYPED_TOKEN } from '../useTypedToken';
import { TargetForm } from './TargetForm';

/** Of which kind a new target is, and then its form. What was typed is there again when another kind was looked at. */
export function NewTarget(props: {
  onDone: (name: string) => void;
  onCancel: () => void;
}): JSX.Element {
  const { onDone, onCancel } = props;
  const [kind, setKind] = useState<TargetKind | null>(null);
  const [last, setLast] = useState<TargetKind>(TARGET_KINDS[0]);
  const drafts = useRef<Partial<Record<TargetKind, Texts>>>({});
  const keep = useCallback(
    (texts: Texts) => {
      if (kind) {
        drafts.current[kind] = { ...texts, [TYPED_TOKEN]: '' };
      }
    },
    [kind]
  );
  if (!kind) {
    return <KindChoice first={last} onChoose={setKind} onCancel={onCancel} />;
  }
  const { name = '', description = '' } = drafts.current[last] ?? {};
  return (
    <TargetForm
      key={kind}
      kind={kind}
      target={null}
      draft={{ ...drafts.current[kind], name, description }}
      onDraft={keep}
      onDone={onDone}
      onCancel={onCancel}
      onBack={() => {
        setLast(kind);
        setKind(null);
      }}
    />
  );
}

function KindChoice(props: {
  /** It has the focus. */
  first: TargetKind;
  onChoose: (kind: TargetKind) => void;
  onCancel: () => void;
}): JSX.Element {
  const { first, onChoose, onCancel } = props;
  const trans = useTrans();
  const words = kindWords(trans);
  const id = useId();
  const chosen = useRef<HTMLButtonElement>(null);
  useEffect(() => chosen.current?.focus(), []);
  const title = trans.__('New compute target');
  return (
    // Escape bubbles up from the buttons.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="group"
      aria-label={title}
      className="jp-mlws-target-edit"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onCancel();
        }
      }}
    >
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-small"
          onClick={onCancel}
        >
          {trans.__('Cancel')}
        </button>
      </header>
      <ul className="jp-mlws-plain-list jp-mlws-kinds">
        {TARGET_KINDS.map(kind => (
          <li key={kind}>
            <button
              type="button"
              ref={kind === first ? chosen : null}
              className="jp-mlws-kind"
              aria-labelledby={`${id}-${kind}`}
              aria-describedby={`${id}-${kind}-purpose`}
              onClick={() => onChoose(kind)}
            >
              <strong id={`${id}-${kind}`}>{words[kind].title}</strong>
              <span id={`${id}-${kind}-purpose`}>{words[kind].purpose}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
