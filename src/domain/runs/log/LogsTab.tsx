import { useMutation } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';

import { useApi } from '../../../api/context';
import { formatBytes } from '../../../lib/format';
import { EmptyState, ErrorNotice, Skeleton, useTrans } from '../../../ui';
import { saveLog } from './download';
import { LogLines } from './LogLines';
import type { LogStream } from './LogStore';
import { LogToolbar } from './LogToolbar';
import {
  findMatches,
  toLines,
  type ILogLine,
  type ILogWindow
} from './logWindow';
import { useLog } from './useLog';

const NO_LINES: readonly ILogLine[] = [];

/** The log of a job, live and searchable. */
export function LogsTab(props: {
  runId: string;
  waiting: boolean;
}): JSX.Element {
  const { runId, waiting } = props;
  const trans = useTrans();
  const [stream, setStream] = useState<LogStream>('user');
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(false);
  const log = useLog(runId, stream);
  const lines = useShownLines(log.window);
  const search = useSearch(lines, () => setFollow(false));
  const empty = lines.length === 0;
  return (
    <div className="jp-mlws-log">
      <LogToolbar
        {...search}
        found={search.matches.length}
        follow={follow}
        onFollow={setFollow}
        wrap={wrap}
        onWrap={setWrap}
        stream={stream}
        onStream={setStream}
        {...useDownload(runId, stream)}
      />
      {log.error !== null && (
        <ErrorNotice
          title={trans.__('The log could not be loaded.')}
          error={log.error}
          onRetry={log.retry}
        />
      )}
      <Earlier window={log.window} onLoad={log.loadEarlier} />
      {empty && log.pending && <Skeleton shape="text" count={12} />}
      {empty && !log.pending && log.error === null && (
        <EmptyState
          text={
            waiting
              ? trans.__(
                  'The job has not begun. What it prints appears here as it is printed.'
                )
              : log.window.done
                ? trans.__('The job printed nothing.')
                : trans.__('Nothing is printed yet.')
          }
        />
      )}
      {!empty && (
        <LogLines
          key={stream}
          lines={lines}
          start={log.window.start}
          wrap={wrap}
          follow={follow}
          onFollow={setFollow}
          matches={search.matches}
          current={search.words ? search.current : -1}
          onTop={() => void log.loadEarlier()}
        />
      )}
    </div>
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
function useShownLines(window: ILogWindow): readonly ILogLine[] {
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

interface ISearch {
  words: string;
  onWords: (words: string) => void;
  matches: ReturnType<typeof findMatches>;
  current: number;
  onStep: (by: 1 | -1) => void;
}

function useSearch(lines: readonly ILogLine[], onFound: () => void): ISearch {
  const [words, setWords] = useState('');
  const [current, setCurrent] = useState(0);
  const wanted = useDeferredValue(words);
  const matches = useMemo(() => findMatches(lines, wanted), [lines, wanted]);
  useEffect(() => {
    // The last match is the one people look for in a log.
    setCurrent(Math.max(0, matches.length - 1));
    // Lines that come later do not move the search.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);
  return {
    words,
    onWords: text => {
      setWords(text);
      if (text) {
        onFound();
      }
    },
    matches,
    current: Math.min(current, Math.max(0, matches.length - 1)),
    onStep: by => {
      onFound();
      const count = matches.length;
      setCurrent(count ? (current + by + count) % count : 0);
    }
  };
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
