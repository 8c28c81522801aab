/** Several tabs see a job end; one of them tells. */

const PREFIX = 'jupyter-mlws:told:';
/** Claims older than this are forgotten. */
const KEPT_MS = 24 * 3600_000;
/** Hidden tabs leave the word to the one that is looked at. */
const HIDDEN_WAIT_MS = 1500;

/**
 * Claims the right to tell of a run's end.
 *
 * @returns Whether this tab is the one. Without a usable storage each tab is.
 */
export async function claimEnding(
  runId: string,
  storage: Storage = window.localStorage
): Promise<boolean> {
  if (document.visibilityState === 'hidden') {
    await new Promise(done => window.setTimeout(done, HIDDEN_WAIT_MS));
  }
  try {
    forgetOld(storage);
    const key = PREFIX + runId;
    if (storage.getItem(key) !== null) {
      return false;
    }
    storage.setItem(key, String(Date.now()));
    return true;
  } catch {
    // Blocked or full.
    return true;
  }
}

function forgetOld(storage: Storage): void {
  for (let i = storage.length - 1; i >= 0; i -= 1) {
    const key = storage.key(i);
    if (
      key?.startsWith(PREFIX) &&
      !(Number(storage.getItem(key)) > Date.now() - KEPT_MS)
    ) {
      storage.removeItem(key);
    }
  }
}
