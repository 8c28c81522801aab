/** Small notations that the form's fields take. Pure. */

/**
 * Reads "NAME=value" lines; empty lines and what begins with "#" do not count.
 *
 * @returns The pairs, or the first line that is none.
 */
export function readPairs(text: string): {
  pairs: Record<string, string>;
  wrong: string | null;
} {
  const pairs: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (!trimmed || trimmed.startsWith('#')) {
      continue;
    }
    const at = trimmed.indexOf('=');
    if (at <= 0) {
      return { pairs, wrong: trimmed };
    }
    pairs[trimmed.slice(0, at).trim()] = trimmed.slice(at + 1).trim();
  }
  return { pairs, wrong: null };
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400
};

/**
 * Reads a span of time: "90s", "45 min", "1h 30m".
 *
 * @returns Seconds; null for no text; NaN when it is no span.
 */
export function readSpan(text: string): number | null {
  const compact = text.replace(/\s+/g, '').toLowerCase();
  if (!compact) {
    return null;
  }
  if (!/^(\d+(\.\d+)?(s|min|m|h|d))+$/.test(compact)) {
    return NaN;
  }
  let seconds = 0;
  for (const [, count, unit] of compact.matchAll(
    /(\d+(?:\.\d+)?)(s|min|m|h|d)/g
  )) {
    seconds += Number(count) * (UNITS[unit ?? ''] ?? NaN);
  }
  return Math.round(seconds);
}
