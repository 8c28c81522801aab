import {
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore
} from 'react';

import { useApi } from '../../../api/context';
import { LogSearch, NOTHING_FOUND, SEARCHING, type IFound } from './LogSearch';
import type { LogStore, LogStream } from './LogStore';

const TYPING_MS = 150;
const silent = (): (() => void) => () => undefined;

export interface ILogSearch {
  words: string;
  onWords: (words: string) => void;
  /** Words that are looked for by now: those of a moment ago. */
  marked: string;
  found: IFound;
  /** Index of the line that is shown, among those found. */
  current: number;
  onStep: (by: 1 | -1) => void;
  /** Number of the line to be shown. */
  target: { line: number } | null;
  error: unknown;
}

/** The words, once nobody has typed for a moment. */
function useSettled(words: string): string {
  const [settled, setSettled] = useState(words);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(words), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [words]);
  return words ? settled : '';
}

interface IJump {
  /** The line that is to be shown. */
  target: { line: number } | null;
  error: unknown;
  to: (offset: number) => void;
  reset: () => void;
}

/** Goes to places of a log. Those asked for quickly may be found out of order: only the last one counts. */
function useJump(store: LogStore): IJump {
  const [target, setTarget] = useState<{ line: number } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const latest = useRef<object | null>(null);
  return {
    target,
    error,
    to: offset => {
      const mine = {};
      latest.current = mine;
      store.goTo(offset).then(
        line => {
          if (latest.current === mine) {
            setError(null);
            setTarget({ line: store.window.base + line });
          }
        },
        (reason: unknown) => {
          if (latest.current === mine) {
            setError(reason);
          }
        }
      );
    },
    reset: () => {
      latest.current = null;
      setError(null);
      setTarget(null);
    }
  };
}

/**
 * Search in a log. The last line that holds the words is shown first: it is the one people look for.
 *
 * @param size - Bytes of the log: when it grows, the search goes on.
 * @param onShow - A line is about to be shown.
 */
export function useLogSearch(
  runId: string,
  stream: LogStream,
  store: LogStore,
  size: number,
  onShow: () => void,
  attempt?: number
): ILogSearch {
  const api = useApi();
  const [words, setWords] = useState('');
  const [current, setCurrent] = useState(0);
  const jump = useJump(store);
  const [error, setError] = useState<unknown>(null);
  const marked = useSettled(words);
  const search = useMemo(
    () => (marked ? new LogSearch(api, runId, stream, marked, attempt) : null),
    [api, runId, stream, marked, attempt]
  );
  const found = useSyncExternalStore(
    search?.subscribe ?? silent,
    () => search?.found ?? NOTHING_FOUND
  );
  const { offsets, complete } = found;

  const show = (index: number): void => {
    const offset = offsets[index];
    setCurrent(Math.max(0, index));
    if (offset !== undefined) {
      onShow();
      jump.to(offset);
    }
  };

  useEffect(() => {
    setError(null);
    jump.reset();
    setCurrent(0);
    return () => search?.dispose();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- its functions are new each time, and do the same
  }, [search]);
  useEffect(() => {
    search?.goOn().catch((reason: unknown) => {
      // Other words took its place.
      if (!(reason instanceof DOMException && reason.name === 'AbortError')) {
        setError(reason);
      }
    });
  }, [search, size]);
  useEffect(() => {
    if (search && complete) {
      show(offsets.length - 1);
    }
    // Lines that come later do not move the search.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [search, complete]);

  return {
    words,
    onWords: setWords,
    marked,
    // Somebody types: nothing is known of these words yet.
    found: words === marked ? found : SEARCHING,
    current: Math.min(current, Math.max(0, offsets.length - 1)),
    onStep: by => {
      const count = offsets.length;
      if (count > 0) {
        show((current + by + count) % count);
      }
    },
    target: jump.target,
    error: error ?? jump.error
  };
}
