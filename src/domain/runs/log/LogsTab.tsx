import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { useApi } from '../../../api/context';
import { formatBytes } from '../../../lib/format';
import { toLines, type ITextLine } from '../../../lib/textLines';
import {
  EmptyState,
  ErrorNotice,
  Skeleton,
  TextLines,
  useTrans
} from '../../../ui';
import { saveLog } from './download';
import type { LogStream } from './LogStore';
import { LogToolbar } from './LogToolbar';
import type { ILogWindow } from './logWindow';
import { useLog } from './useLog';
import { useLogSearch } from './useLogSearch';

const NO_LINES: readonly ITextLine[] = [];

/** The log of a job, live and searchable. */
export function LogsTab(props: {
  runId: string;
  waiting: boolean;
}): JSX.Element {
  const { runId, waiting } = props;
  const trans = useTrans();
  const [stream, setStream] = useState<LogStream>('user');
  const [following, setFollowing] = useState(true);
  const [wrap, setWrap] = useState(false);
  const log = useLog(runId, stream, following);
  const { store, window } = log;
  const search = useLogSearch(runId, stream, store, window.size, () =>
    setFollowing(false)
  );
  const onFollow = (follow: boolean): void => {
    setFollowing(follow);
    if (follow) {
      void store.toEnd();
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
        {...useDownload(runId, stream)}
      />
      <LogErrors {...log} search={search.error} />
      <Earlier window={window} onLoad={() => store.loadEarlier()} />
      {empty && log.pending && <Skeleton shape="text" count={12} />}
      {empty && !log.pending && log.error === null && (
        <NothingPrinted waiting={waiting} done={window.done} />
      )}
      {!empty && (
        <TextLines
          key={stream}
          label={trans.__('Log')}
          lines={lines}
          base={window.base}
          wrap={wrap}
          follow={following && window.atEnd}
          // What stands at the end of a part is not the end of the log.
          onFollow={follow => setFollowing(follow && window.atEnd)}
          words={search.marked}
          target={search.target}
          onTop={() => void store.loadEarlier()}
          onBottom={() => void store.loadLater()}
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
}): JSX.Element {
  const { error, retry, search } = props;
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

function useDownload(
  runId: string,
  stream: LogStream
): { onDownload: () => void; downloading: boolean } {
  const api = useApi();
  const save = useMutation({ mutationFn: () => saveLog(api, runId, stream) });
  return { onDownload: () => save.mutate(), downloading: save.isPending };
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
  onLoad: () => Promise<void>;
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
      <button
        type="button"
        className="jp-mlws-link"
        onClick={() => void props.onLoad()}
      >
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
