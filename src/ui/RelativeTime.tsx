import { useSyncExternalStore } from 'react';

import { formatAbsoluteTime, formatRelativeTime } from '../lib/format';
import { useLocale } from './trans';

const MINUTE_MS = 60_000;

/** One tick a minute for all times on screen; none while there are no times. */
const listeners = new Set<() => void>();
let timer: number | undefined;
let minute = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    minute = Date.now();
    listeners.forEach(one => one());
  }, MINUTE_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.clearInterval(timer);
      timer = undefined;
    }
  };
}

/** "5 minutes ago", kept true while it stands there; the whole time on hover. */
export function RelativeTime(props: {
  at: number;
  className?: string;
  /** Puts the time into a sentence. */
  words?: (time: string) => string;
}): JSX.Element {
  const { at, className, words } = props;
  const locale = useLocale();
  useSyncExternalStore(subscribe, () => minute);
  const time = formatRelativeTime(at, Date.now(), locale);
  return (
    <time
      className={className}
      dateTime={new Date(at).toISOString()}
      title={formatAbsoluteTime(at, locale)}
    >
      {words ? words(time) : time}
    </time>
  );
}
