import { useState } from 'react';

import { useFocusBack, useTrans } from '../../../ui';
import { kindOf } from '../fields';
import type { ComputeTarget } from '../types';
import { DeleteTarget } from './DeleteTarget';
import { LimitsForm } from './LimitsForm';
import { QueueVerbs } from './QueueVerbs';
import { TargetForm } from './TargetForm';

type Open = 'limits' | 'edit' | 'delete' | null;

/** The name and state of a target, what can be done with it, and the form that is open. */
export function TargetHeader(props: {
  target: ComputeTarget;
  onDeleted: () => void;
}): JSX.Element {
  const { target, onDeleted } = props;
  const [open, setOpen] = useState<Open>(null);
  const [limitsButton, backToLimits] = useFocusBack<HTMLButtonElement>();
  const [editButton, backToEdit] = useFocusBack<HTMLButtonElement>();
  const [deleteButton, backToDelete] = useFocusBack<HTMLButtonElement>();
  const trans = useTrans();
  const toggle = (one: Open): void => setOpen(open === one ? null : one);
  const back = { limits: backToLimits, edit: backToEdit, delete: backToDelete };
  const close = (): void => {
    if (open) {
      back[open]();
    }
    setOpen(null);
  };
  return (
    <>
      <header className="jp-mlws-run-header">
        <Title target={target} />
        <div
          className="jp-mlws-target-verbs"
          role="group"
          aria-label={trans.__('Actions')}
        >
          {target.state !== 'unavailable' && (
            <QueueVerbs
              target={target}
              editing={open === 'limits'}
              editRef={limitsButton}
              onEdit={() => toggle('limits')}
            />
          )}
          {kindOf(target) && (
            <Verb
              label={trans.__('Edit…')}
              expanded={open === 'edit'}
              buttonRef={editButton}
              onClick={() => toggle('edit')}
            />
          )}
          {target.made && (
            <Verb
              label={trans.__('Delete…')}
              expanded={open === 'delete'}
              buttonRef={deleteButton}
              onClick={() => toggle('delete')}
            />
          )}
        </div>
      </header>
      {target.detail && (
        <p className="jp-mlws-target-note jp-mlws-target-detail" role="status">
          {target.detail}
        </p>
      )}
      {open && (
        <section className="jp-mlws-card jp-mlws-target-form">
          <OpenForm
            open={open}
            target={target}
            onClose={close}
            onDeleted={onDeleted}
          />
        </section>
      )}
    </>
  );
}

function OpenForm(props: {
  open: Open;
  target: ComputeTarget;
  onClose: () => void;
  onDeleted: () => void;
}): JSX.Element | null {
  const { open, target, onClose, onDeleted } = props;
  const kind = kindOf(target);
  switch (open) {
    case 'limits':
      return <LimitsForm target={target} onClose={onClose} />;
    case 'edit':
      return (
        kind && (
          <TargetForm
            kind={kind}
            target={target}
            onDone={onClose}
            onCancel={onClose}
          />
        )
      );
    case 'delete':
      return (
        <DeleteTarget
          target={target}
          onCancel={onClose}
          onDeleted={onDeleted}
        />
      );
    case null:
      return null;
  }
}

function Verb(props: {
  label: string;
  expanded: boolean;
  buttonRef: React.RefObject<HTMLButtonElement>;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      ref={props.buttonRef}
      type="button"
      className="jp-mlws-button jp-mlws-button-small"
      aria-expanded={props.expanded}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

function Title(props: { target: ComputeTarget }): JSX.Element {
  const { target } = props;
  const trans = useTrans();
  const words = {
    ready: trans.__('ready'),
    away: trans.__('cannot be reached now'),
    unavailable: trans.__('unavailable')
  }[target.state];
  return (
    <div className="jp-mlws-run-title">
      <h2 className="jp-mlws-run-name jp-mlws-ellipsis" title={target.name}>
        {target.name}
      </h2>
      <span className="jp-mlws-badge">{target.kind}</span>
      <span className="jp-mlws-badge" data-state={target.state}>
        {target.paused && target.state === 'ready' ? trans.__('paused') : words}
      </span>
    </div>
  );
}
