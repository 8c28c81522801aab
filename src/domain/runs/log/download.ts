import { unwrap, type ApiClient } from '../../../api/client';
import { attemptOf, type LogStream } from './LogStore';

const PIECE_BYTES = 512 * 1024;

/**
 * Saves a whole log, fetched piece by piece: as it stands at the end of fetching, also while it grows.
 */
export async function saveLog(
  api: ApiClient,
  runId: string,
  stream: LogStream,
  attempt?: number
): Promise<void> {
  const parts: Blob[] = [];
  let offset = 0;
  for (;;) {
    const piece = await unwrap(
      api.GET('/jobs/{run_id}/log', {
        params: {
          path: { run_id: runId },
          query: {
            offset,
            limit: PIECE_BYTES,
            stream,
            ...attemptOf(attempt)
          }
        }
      })
    );
    // A Blob may lie on disk; a string of 100 MB may not.
    parts.push(new Blob([piece.text]));
    if (piece.next_offset <= offset) {
      parts.push(new Blob([piece.partial]));
      break;
    }
    offset = piece.next_offset;
  }
  const url = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  const part = attempt === undefined ? '' : `-${attempt}`;
  link.download = `${runId}-${stream}${part}.log`;
  link.click();
  // The browser has taken hold of it by then.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
