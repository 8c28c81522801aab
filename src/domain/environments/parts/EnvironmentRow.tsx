import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useId } from 'react';

import { useTrans } from '../../../ui';
import { kindLabel } from '../format';
import type { Environment } from '../types';
import { BuildBadge } from './BuildBadge';
import {
  EnvironmentDetails,
  type IEnvironmentDetailsProps
} from './EnvironmentDetails';

/** An environment: its name and how far its newest version is; open, all that is known of it. */
export function EnvironmentRow(
  props: Omit<IEnvironmentDetailsProps, 'name'> & {
    environment: Environment;
    open: boolean;
    onToggle: () => void;
  }
): JSX.Element {
  const { environment, open, onToggle } = props;
  const { name, latest } = environment;
  const trans = useTrans();
  const id = useId();
  const about = trans.__(
    '%1 · %2',
    latest.version,
    kindLabel(latest.definition.kind, trans)
  );
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <li className="jp-mlws-queue-row">
      <button
        type="button"
        className="jp-mlws-environment-row"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={onToggle}
      >
        <Caret.react tag="span" aria-hidden="true" />
        <span
          className="jp-mlws-environment-name jp-mlws-ellipsis"
          title={`${name} ${about}`}
        >
          {name} <span className="jp-mlws-muted">{about}</span>
        </span>
        <BuildBadge build={latest.build} />
      </button>
      {open && (
        <div id={id}>
          <EnvironmentDetails {...props} name={name} />
        </div>
      )}
    </li>
  );
}
