import { ApiError, ConnectionError, isTransient } from '../errors';

function answer(status: number, body: string): Response {
  return {
    status,
    statusText: 'Some Status',
    text: () => Promise.resolve(body)
  } as Response;
}

describe('ApiError.fromResponse', () => {
  it('reads the one error shape', async () => {
    const body = {
      error: { code: 'run_not_found', message: 'No run x.', field: 'run_id' }
    };
    const error = await ApiError.fromResponse(
      answer(404, JSON.stringify(body)),
      'GET /x'
    );
    expect(error).toMatchObject({
      name: 'ApiError',
      status: 404,
      code: 'run_not_found',
      message: 'No run x.',
      field: 'run_id',
      request: 'GET /x'
    });
  });

  it.each([
    ['{"message": "Forbidden"}', 'Forbidden'],
    ['<html>nginx</html>', '502 Some Status'],
    ['', '502 Some Status'],
    ['null', '502 Some Status'],
    ['{"error": "text"}', '502 Some Status'],
    ['{"error": {"code": 5}}', '502 Some Status']
  ])('makes a sentence of %p', async (body, message) => {
    const error = await ApiError.fromResponse(answer(502, body));
    expect(error.message).toBe(message);
    expect(error.code).toBe('http_502');
  });
});

describe('isTransient', () => {
  it('is true where another try could help', () => {
    expect(isTransient(new ConnectionError(new TypeError('Failed')))).toBe(
      true
    );
    expect(isTransient(new ApiError(503, 'x', 'x'))).toBe(true);
    expect(isTransient(new ApiError(429, 'x', 'x'))).toBe(true);
    expect(isTransient(new ApiError(404, 'x', 'x'))).toBe(false);
    expect(isTransient(new Error('x'))).toBe(false);
  });
});
