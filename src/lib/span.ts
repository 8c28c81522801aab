/** Spans of time as people write them. Pure. */

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

/** A span of time as `readSpan` reads it: "1h 30m"; empty for none. */
export function spanText(seconds: number | null): string {
  let left = seconds ?? 0;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNITS[unit] ?? 1;
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) {
      parts.push(`${count}${unit}`);
    }
  }
  return parts.join(' ');
}
