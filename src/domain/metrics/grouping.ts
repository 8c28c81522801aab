/** Puts metrics into groups by their prefixes. Pure. */

/** Metrics of one prefix. */
export interface IMetricGroup {
  /** "train" of "train/loss"; empty for keys without a prefix. */
  prefix: string;
  keys: string[];
}

const collator = new Intl.Collator(undefined, { numeric: true });

/**
 * Groups keys by what stands before their first slash; keys without one come first, "system" last.
 *
 * @param filter - Words that all must occur in a key, in any case.
 */
export function groupMetrics(
  keys: readonly string[],
  filter = ''
): IMetricGroup[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const text = key.toLowerCase();
    if (words.every(word => text.includes(word))) {
      const slash = key.indexOf('/');
      const prefix = slash > 0 ? key.slice(0, slash) : '';
      groups.set(prefix, [...(groups.get(prefix) ?? []), key]);
    }
  }
  return [...groups]
    .map(([prefix, found]) => ({
      prefix,
      keys: found.sort((a, b) => collator.compare(a, b))
    }))
    .sort(
      (a, b) =>
        rank(a.prefix) - rank(b.prefix) || collator.compare(a.prefix, b.prefix)
    );
}

/**
 * Parts the metrics of a group: those with a curve, and those that were logged once.
 *
 * @param byKey - What is known of each; keys that are not in it are left out.
 */
export function splitMetrics<T extends { count: number }>(
  keys: readonly string[],
  byKey: ReadonlyMap<string, T>
): { curves: T[]; values: T[] } {
  const known = keys.flatMap(key => byKey.get(key) ?? []);
  return {
    curves: known.filter(({ count }) => count > 1),
    values: known.filter(({ count }) => count <= 1)
  };
}

function rank(prefix: string): number {
  return prefix === '' ? 0 : prefix === 'system' ? 2 : 1;
}

/**
 * The path of a small curve in a box.
 *
 * @param values - Null and not finite values break the line.
 * @returns The `d` of an SVG path; empty with fewer than two points.
 */
export function sparklinePath(
  values: readonly (number | null)[],
  width: number,
  height: number
): string {
  const finite = values.filter(
    (value): value is number => value !== null && Number.isFinite(value)
  );
  if (finite.length < 2) {
    return '';
  }
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low;
  const step = width / (values.length - 1);
  let pen = 'M';
  let path = '';
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      pen = 'M';
      return;
    }
    const y = span > 0 ? height - ((value - low) / span) * height : height / 2;
    path += `${pen}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
