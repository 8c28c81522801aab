import {
  formatAbsoluteTime,
  formatBytes,
  formatDuration,
  formatNumber,
  formatNumberFull,
  formatRelativeTime,
  shortId,
  shortName
} from '../format';

describe('formatDuration', () => {
  it.each([
    [0, '0:00'],
    [999, '0:00'],
    [42_000, '0:42'],
    [60_000, '1:00'],
    [3_787_000, '1:03:07'],
    [100 * 3_600_000, '100:00:00'],
    [-5, '0:00'],
    [null, '–'],
    [undefined, '–'],
    [NaN, '–']
  ])('%p ms is %p', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [0.98214, '0.9821'],
    [-0.5, '−0.5'],
    [12345, '12345'],
    [12345.6, '12350'],
    [-999999, '−999999'],
    [999999.9, '1e+6'],
    [12_345_678, '1.235e+7'],
    [15_000_000, '1.5e+7'],
    [0.0001234, '0.0001234'],
    [0.00001234, '1.234e-5'],
    [NaN, 'NaN'],
    [Infinity, '∞'],
    [-Infinity, '−∞'],
    [null, '–'],
    [undefined, '–']
  ])('%p is %p', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('keeps every digit for the clipboard', () => {
    expect(formatNumberFull(0.1 + 0.2)).toBe('0.30000000000000004');
    expect(formatNumberFull(null)).toBe('–');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024 - 1, '1 MiB'],
    [12 * 1024 ** 2, '12 MiB'],
    [345.6 * 1024 ** 3, '346 GiB'],
    [2 * 1024 ** 6, '2048 PiB'],
    [null, '–']
  ])('%p is %p', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatRelativeTime', () => {
  const now = Date.UTC(2026, 5, 15, 12);
  it.each([
    [now, 'now'],
    [now - 20_000, '20 seconds ago'],
    [now - 50_000, '1 minute ago'],
    [now - 5 * 60_000, '5 minutes ago'],
    [now - 3 * 3_600_000, '3 hours ago'],
    [now - 24 * 3_600_000, 'yesterday'],
    [now + 2 * 3_600_000, 'in 2 hours'],
    [now - 60 * 86_400_000, '2 months ago'],
    [now - 800 * 86_400_000, '2 years ago'],
    [null, '–'],
    ['not a date', '–']
  ])('%p is %p', (when, text) => {
    expect(formatRelativeTime(when, now, 'en')).toBe(text);
  });

  it('reads ISO strings and dates', () => {
    expect(formatRelativeTime('2026-06-15T11:55:00Z', now, 'en')).toBe(
      '5 minutes ago'
    );
    expect(formatRelativeTime(new Date(now), now, 'en')).toBe('now');
  });
});

describe('formatAbsoluteTime', () => {
  it('gives date and time', () => {
    expect(formatAbsoluteTime(Date.UTC(2026, 5, 15, 12), 'en')).toMatch(
      /Jun 15, 2026/
    );
    expect(formatAbsoluteTime(null)).toBe('–');
  });
});

describe('shortId', () => {
  it('cuts long ids only', () => {
    expect(shortId('0123456789abcdef')).toBe('01234567');
    expect(shortId('abc')).toBe('abc');
  });
});

describe('shortName', () => {
  it.each([
    ['train', 5, 'train'],
    ['abcdefgh', 5, 'ab…gh'],
    ['abcdefgh', 6, 'abc…gh'],
    ['🚀🚀🚀🚀', 3, '🚀…🚀'],
    ['', 3, '']
  ])('of %p in %p is %p', (name, length, text) => {
    expect(shortName(name, length)).toBe(text);
  });
});
