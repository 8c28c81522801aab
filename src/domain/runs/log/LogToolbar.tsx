import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import type { KeyboardEvent } from 'react';

import { IconButton, useTrans } from '../../../ui';
import type { IFound } from './LogSearch';
import type { LogStream } from './LogStore';

export interface ILogToolbarProps {
  words: string;
  onWords: (words: string) => void;
  /** Which lines were found, and which of them is shown. */
  found: IFound;
  current: number;
  onStep: (by: 1 | -1) => void;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  wrap: boolean;
  onWrap: (wrap: boolean) => void;
  stream: LogStream;
  onStream: (stream: LogStream) => void;
  /** How many attempts have begun, and which one's log this is. */
  attempts: number;
  attempt: number | undefined;
  onAttempt: (attempt: number) => void;
  /** Saves the whole log as a file. */
  onDownload: () => void;
  /** It is being saved. */
  downloading: boolean;
}

/** Search, and how the log is shown. */
export function LogToolbar(props: ILogToolbarProps): JSX.Element {
  const { follow, wrap, stream } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-toolbar">
      <Search {...props} />
      {props.attempts > 1 && <AttemptPicker {...props} />}
      <Toggle
        label={trans.__('Follow')}
        title={trans.__('Stay at the end as lines come')}
        on={follow}
        onChange={props.onFollow}
      />
      <Toggle
        label={trans.__('Wrap')}
        title={trans.__('Break long lines')}
        on={wrap}
        onChange={props.onWrap}
      />
      <Toggle
        label={trans.__('System')}
        title={trans.__('What the workspace itself says about this job')}
        on={stream === 'system'}
        onChange={on => props.onStream(on ? 'system' : 'user')}
      />
      <button
        type="button"
        className="jp-mlws-button"
        disabled={props.downloading}
        onClick={props.onDownload}
      >
        {trans.__('Download')}
      </button>
    </div>
  );
}

function AttemptPicker(props: ILogToolbarProps): JSX.Element {
  const { attempts, attempt, onAttempt } = props;
  const trans = useTrans();
  return (
    <select
      className="jp-mlws-input jp-mlws-attempt"
      aria-label={trans.__('Attempt')}
      value={attempt}
      onChange={event => onAttempt(Number(event.target.value))}
    >
      {Array.from({ length: attempts }, (_, i) => i + 1).map(one => (
        <option key={one} value={one}>
          {one === attempts
            ? trans.__('Attempt %1 (last)', one)
            : trans.__('Attempt %1', one)}
        </option>
      ))}
    </select>
  );
}

function Toggle(props: {
  label: string;
  title: string;
  on: boolean;
  onChange: (on: boolean) => void;
}): JSX.Element {
  return (
    <button
      type="button"
      className="jp-mlws-toggle"
      aria-pressed={props.on}
      title={props.title}
      onClick={() => props.onChange(!props.on)}
    >
      {props.label}
    </button>
  );
}

function Search(props: ILogToolbarProps): JSX.Element {
  const { words, onWords, found, current, onStep } = props;
  const trans = useTrans();
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      event.preventDefault();
      onStep(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape' && words) {
      event.stopPropagation();
      onWords('');
    }
  };
  const { offsets, complete, many } = found;
  const none = offsets.length === 0;
  const count = `${offsets.length.toLocaleString()}${complete && !many ? '' : '+'}`;
  return (
    <>
      <input
        type="search"
        className="jp-mlws-input jp-mlws-search"
        aria-label={trans.__('Search the log')}
        placeholder={trans.__('Search')}
        data-mlws-filter
        title={trans.__(
          'Search the whole log (/); Enter for the next line, Shift+Enter for the one before'
        )}
        value={words}
        onChange={event => onWords(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <span className="jp-mlws-muted jp-mlws-search-count" role="status">
        {words &&
          (!none
            ? `${(current + 1).toLocaleString()}/${count}`
            : complete
              ? trans.__('none')
              : '…')}
      </span>
      <IconButton
        icon={caretUpIcon}
        label={trans.__('Previous match')}
        disabled={none}
        onClick={() => onStep(-1)}
      />
      <IconButton
        icon={caretDownIcon}
        label={trans.__('Next match')}
        disabled={none}
        onClick={() => onStep(1)}
      />
    </>
  );
}
