import { useEffect, useState } from 'react';

import { useLost } from '../../api/context';

/** A duration goes on so long after the last answer while no live updates arrive, in ms; answers come more often. */
const TRUSTED_MS = 30_000;

/** The present in ms, renewed each second while `running`. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) {
      return;
    }
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [running]);
  return now;
}

/** The present for what the server told at `answeredAt`; it stands still where no answers come any more. */
export function useLiveNow(running: boolean, answeredAt: number): number {
  const now = useNow(running);
  return useLost() ? Math.min(now, answeredAt + TRUSTED_MS) : now;
}
