/** Text for numbers, times, sizes and ids as every table, badge and chart shows them. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Shown where there is no value. */
export const NO_VALUE = '–';

/**
 * A duration as a clock: "0:42", "1:03:07".
 *
 * @param ms - Milliseconds; anything below zero counts as zero.
 */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) {
    return NO_VALUE;
  }
  const total = Math.floor(Math.max(0, ms) / SECOND);
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, '0');
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${minutes}:${seconds}`;
}

/**
 * A number with four significant digits: "0.9821", "1234", "1.235e+7", "NaN", "∞". Whole numbers below
 * a million keep all their digits: a batch size or a seed must not look like another one.
 *
 * @param value - The number; NaN and infinities are shown as such.
 * @param digits - Significant digits.
 */
export function formatNumber(
  value: number | null | undefined,
  digits = 4
): string {
  if (value === null || value === undefined) {
    return NO_VALUE;
  }
  if (Number.isNaN(value)) {
    return 'NaN';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? '∞' : '−∞';
  }
  if (value === 0) {
    return '0';
  }
  const rounded =
    Number.isInteger(value) && Math.abs(value) < 1e6
      ? value
      : Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  const text =
    size >= 1e6 || size < 1e-4
      ? trimExponent(rounded.toExponential(digits - 1))
      : String(rounded);
  return text.replace(/^-/, '−');
}

/** "1.500e+7" → "1.5e+7". */
function trimExponent(text: string): string {
  return text.replace(/\.?0+e/, 'e');
}

/** Every digit of a number, for titles and the clipboard. */
export function formatNumberFull(value: number | null | undefined): string {
  return value === null || value === undefined ? NO_VALUE : String(value);
}

/**
 * A size in binary units: "0 B", "1.5 KiB", "12 MiB".
 *
 * @param bytes - A count of bytes.
 */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) {
    return NO_VALUE;
  }
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let size = Math.max(0, bytes);
  let unit = 0;
  // 1023.95 would be printed as "1024.0": step on before that.
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text =
    unit === 0 || size >= 100 ? String(Math.round(size)) : size.toFixed(1);
  return `${text.replace(/\.0$/, '')} ${units[unit]}`;
}

/**
 * A time as seen from now: "5 minutes ago", "yesterday", "in 2 hours".
 *
 * @param when - A time in ms since 1970, an ISO string, or a Date.
 * @param now - The present, in ms.
 * @param locale - A BCP 47 tag; the browser's when left out.
 */
export function formatRelativeTime(
  when: number | string | Date | null | undefined,
  now: number = Date.now(),
  locale?: string
): string {
  const time = toMillis(when);
  if (time === null) {
    return NO_VALUE;
  }
  const delta = time - now;
  const size = Math.abs(delta);
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const steps: [number, number, Intl.RelativeTimeFormatUnit][] = [
    [45 * SECOND, SECOND, 'second'],
    [45 * MINUTE, MINUTE, 'minute'],
    [22 * HOUR, HOUR, 'hour'],
    [26 * DAY, DAY, 'day'],
    [320 * DAY, 30.44 * DAY, 'month'],
    [Infinity, 365.25 * DAY, 'year']
  ];
  if (size < 5 * SECOND) {
    return words.format(0, 'second');
  }
  for (const [limit, unit, name] of steps) {
    if (size < limit) {
      return words.format(awayFromZero(delta / unit), name);
    }
  }
  return NO_VALUE;
}

/** The nearest whole number, but never zero: "0 minutes ago" reads badly. */
function awayFromZero(value: number): number {
  const whole = Math.round(Math.abs(value)) || 1;
  return value < 0 ? -whole : whole;
}

/** The full date and time, shown on hover beside a relative time. */
export function formatAbsoluteTime(
  when: number | string | Date | null | undefined,
  locale?: string
): string {
  const time = toMillis(when);
  return time === null
    ? NO_VALUE
    : new Intl.DateTimeFormat(locale, {
        dateStyle: 'medium',
        timeStyle: 'medium'
      }).format(time);
}

/** The time of day, "14:02"; with the day where it is not that of now. */
export function formatClock(
  when: number,
  now: number = Date.now(),
  locale?: string
): string {
  const sameDay =
    new Date(when).toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(locale, {
    ...(sameDay ? {} : { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit'
  }).format(when);
}

/** The first eight characters of an id; the whole is for the clipboard. */
export function shortId(id: string, length = 8): string {
  return id.length <= length ? id : id.slice(0, length);
}

/**
 * A name that is cut in its middle where it is long: beginnings and ends tell names apart.
 *
 * @param name - The name.
 * @param length - How many characters at most.
 */
export function shortName(name: string, length = 60): string {
  const letters = Array.from(name);
  if (letters.length <= length) {
    return name;
  }
  const end = Math.floor((length - 1) / 2);
  return [
    ...letters.slice(0, length - 1 - end),
    '…',
    ...letters.slice(letters.length - end)
  ].join('');
}

function toMillis(
  when: number | string | Date | null | undefined
): number | null {
  if (when === null || when === undefined) {
    return null;
  }
  const time = when instanceof Date ? when.getTime() : new Date(when).getTime();
  return Number.isNaN(time) ? null : time;
}
