import { useMemo, useState } from 'react';

import { formatBytes } from '../../../lib/format';
import { toLines, type ITextLine } from '../../../lib/textLines';
import {
  EmptyState,
  ErrorNotice,
  Skeleton,
  TextLines,
  useTrans
} from '../../../ui';
import type { LogStore, LogStream } from './LogStore';
import { LogToolbar } from './LogToolbar';
import type { ILogWindow } from './logWindow';
import { useDownload } from './useDownload';
import { useLog } from './useLog';
import { useLogSearch } from './useLogSearch';

const NO_LINES: readonly ITextLine[] = [];

/** The log of a job, live and searchable. */
export function LogsTab(props: {
  runId: string;
  waiting: boolean;
  /** How many attempts have begun. */
  attempts?: number;
}): JSX.Element {
  const { runId, waiting, attempts = 1 } = props;
  const trans = useTrans();
  const [chosen, setAttempt] = useState<number | null>(null);
  // Who chose none follows the last one.
  const attempt = attempts > 1 ? (chosen ?? attempts) : undefined;
  const [stream, setStream] = useState<LogStream>('user');
  const [following, setFollowing] = useState(true);
  const [wrap, setWrap] = useState(false);
  const log = useLog(runId, stream, following, attempt);
  const { store, window } = log;
  const search = useLogSearch(
    runId,
    stream,
    store,
    window.size,
    () => setFollowing(false),
    attempt
  );
  const moving = useMove(store);
  const download = useDownload(runId, stream, attempt);
  const onFollow = (follow: boolean): void => {
    setFollowing(follow);
    if (follow) {
      moving.go('toEnd');
    }
  };
  const lines = useShownLines(window);
  const empty = lines.length === 0;
  return (
    <div className="jp-mlws-log">
      <LogToolbar
        {...search}
        follow={following}
        onFollow={onFollow}
        wrap={wrap}
        onWrap={setWrap}
        stream={stream}
        onStream={setStream}
        attempts={attempts}
        attempt={attempt}
        onAttempt={one => setAttempt(one === attempts ? null : one)}
        onDownload={() => download.mutate()}
        downloading={download.isPending}
      />
      <LogErrors {...log} search={search.error} download={download.error} />
      {moving.error !== null && (
        <ErrorNotice
          title={trans.__('More of the log could not be loaded.')}
          error={moving.error}
          onRetry={moving.retry}
        />
      )}
      <Earlier window={window} onLoad={() => moving.go('loadEarlier')} />
      {empty && log.pending && <Skeleton shape="text" count={12} />}
      {empty && !log.pending && log.error === null && (
        <NothingPrinted waiting={waiting} done={window.done} />
      )}
      {!empty && (
        <TextLines
          key={`${stream} ${attempt ?? ''}`}
          label={trans.__('Log')}
          lines={lines}
          base={window.base}
          wrap={wrap}
          follow={following && window.atEnd}
          // What stands at the end of a part is not the end of the log.
          onFollow={follow => setFollowing(follow && window.atEnd)}
          words={search.marked}
          target={search.target}
          onTop={() => moving.go('loadEarlier')}
          onBottom={() => moving.go('loadLater')}
        />
      )}
      <Later window={window} onEnd={() => onFollow(true)} />
    </div>
  );
}

function LogErrors(props: {
  error: unknown;
  retry: () => void;
  search: unknown;
  download: unknown;
}): JSX.Element {
  const { error, retry, search, download } = props;
  const trans = useTrans();
  return (
    <>
      {error !== null && (
        <ErrorNotice
          title={trans.__('The log could not be loaded.')}
          error={error}
          onRetry={retry}
        />
      )}
      {search !== null && (
        <ErrorNotice
          title={trans.__('The log could not be searched.')}
          error={search}
        />
      )}
      {download !== null && (
        <ErrorNotice
          title={trans.__('The log could not be downloaded.')}
          error={download}
        />
      )}
    </>
  );
}

function NothingPrinted(props: {
  waiting: boolean;
  done: boolean;
}): JSX.Element {
  const trans = useTrans();
  return (
    <EmptyState
      text={
        props.waiting
          ? trans.__(
              'The job has not begun. What it prints appears here as it is printed.'
            )
          : props.done
            ? trans.__('The job printed nothing.')
            : trans.__('Nothing is printed yet.')
      }
    />
  );
}

type Move = 'toEnd' | 'loadEarlier' | 'loadLater';

interface IMoves {
  go: (move: Move) => void;
  error: unknown;
  retry: () => void;
}

/** Goes about in a log. */
function useMove(store: LogStore): IMoves {
  const [failed, setFailed] = useState<{ move: Move; error: unknown } | null>(
    null
  );
  const go = (move: Move): void => {
    store[move]().then(
      () => setFailed(null),
      (error: unknown) => setFailed({ move, error })
    );
  };
  return {
    go,
    error: failed?.error ?? null,
    retry: () => failed && go(failed.move)
  };
}

/** The lines of the window, and the unfinished one. */
function useShownLines(window: ILogWindow): readonly ITextLine[] {
  const { lines, partial } = window;
  return useMemo(
    () =>
      partial
        ? [...lines, ...toLines(partial)]
        : lines.length
          ? lines
          : NO_LINES,
    [lines, partial]
  );
}

/** Says that the log began earlier, and fetches more of it. */
function Earlier(props: {
  window: ILogWindow;
  onLoad: () => void;
}): JSX.Element | null {
  const { start, size } = props.window;
  const trans = useTrans();
  return start === 0 ? null : (
    <div className="jp-mlws-notice">
      {trans.__(
        '%1 of %2 stand before these lines.',
        formatBytes(start),
        formatBytes(size)
      )}
      <button type="button" className="jp-mlws-link" onClick={props.onLoad}>
        {trans.__('Load earlier lines')}
      </button>
    </div>
  );
}

/** Says that the log goes on, while a part further up is shown. */
function Later(props: {
  window: ILogWindow;
  onEnd: () => void;
}): JSX.Element | null {
  const { end, size, atEnd } = props.window;
  const trans = useTrans();
  return atEnd ? null : (
    <div className="jp-mlws-notice">
      {trans.__(
        '%1 of %2 stand behind these lines.',
        formatBytes(size - end),
        formatBytes(size)
      )}
      <button type="button" className="jp-mlws-link" onClick={props.onEnd}>
        {trans.__('Go to the end')}
      </button>
    </div>
  );
}
