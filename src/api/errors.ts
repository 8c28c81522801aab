/**
 * What a call to the server can fail with.
 *
 *     Error
 *     ├── ApiError         the server answered, with a status of 400 or more
 *     └── ConnectionError  no answer came: offline, server gone, blocked
 *
 * An aborted call rejects with the signal's reason and is neither of the two.
 */

/** The server's one error shape: `{"error": {"code", "message", "field"?}}`. */
export interface IErrorBody {
  error: { code: string; message: string; field?: string };
}

/** The server refused a request or failed at it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  /**
   * @param status - HTTP status.
   * @param code - The server's stable word for the failure, e.g. "run_not_found".
   * @param message - A sentence for people: what was wrong, where, and what to do.
   * @param field - The input field it is about, as a path such as "inputs.lr".
   * @param request - "GET /mlws/api/v1/runs", for the copied details.
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
    readonly request?: string
  ) {
    super(message);
  }

  /**
   * Reads the error out of an answer. Bodies of another shape (a proxy's page, Jupyter's own
   * `{"message"}`) still give a sentence.
   */
  static async fromResponse(
    response: Response,
    request?: string
  ): Promise<ApiError> {
    const text = await response.text().catch(() => '');
    const body = parse(text);
    const { status } = response;
    if (isErrorBody(body)) {
      const { code, message, field } = body.error;
      return new ApiError(status, code, message, field, request);
    }
    const message = isRecord(body) ? body['message'] : undefined;
    return new ApiError(
      status,
      `http_${status}`,
      typeof message === 'string' && message
        ? message
        : `${status} ${response.statusText}`.trim(),
      undefined,
      request
    );
  }
}

/** No answer came from the server. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(
    override readonly cause: unknown,
    readonly request?: string
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}

/** True when trying again could help: no answer, 408, 429 or a 5xx. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) {
    return error.status === 408 || error.status === 429 || error.status >= 500;
  }
  return error instanceof ConnectionError;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isErrorBody(value: unknown): value is IErrorBody {
  return (
    isRecord(value) &&
    isRecord(value['error']) &&
    typeof value['error']['code'] === 'string' &&
    typeof value['error']['message'] === 'string'
  );
}
