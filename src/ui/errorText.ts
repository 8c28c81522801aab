import type { TranslationBundle } from '@jupyterlab/translation';

/** What an ErrorNotice can read from an error; `ApiError` and `ConnectionError` have these. */
interface IErrorFacts {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  status?: unknown;
  field?: unknown;
  request?: unknown;
  stack?: unknown;
}

function factsOf(error: unknown): IErrorFacts {
  return typeof error === 'object' && error !== null
    ? error
    : { message: typeof error === 'string' ? error : undefined };
}

/** One sentence for people. */
export function errorSentence(
  error: unknown,
  trans: TranslationBundle
): string {
  const { name, message, code } = factsOf(error);
  if (name === 'ConnectionError') {
    return trans.__('The server does not answer. Is it still running?');
  }
  if (code === 'http_404') {
    // Our own answers have a word of their own for what is not there.
    return trans.__(
      'The server does not know this address. Is the server extension jupyter_mlws enabled?'
    );
  }
  return typeof message === 'string' && message
    ? message
    : trans.__('Something went wrong, and no reason was given.');
}

/** All that is known, as text for a bug report. */
export function errorDetails(error: unknown): string {
  const facts = factsOf(error);
  const lines = (
    ['name', 'message', 'code', 'status', 'field', 'request'] as const
  )
    .filter(key => facts[key] !== undefined)
    .map(key => `${key}: ${String(facts[key])}`);
  lines.push(`time: ${new Date().toISOString()}`);
  lines.push(`browser: ${navigator.userAgent}`);
  if (typeof facts.stack === 'string') {
    lines.push('', facts.stack);
  }
  return lines.join('\n');
}
