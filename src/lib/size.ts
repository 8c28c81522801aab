/** Sizes as people write them. Pure. */

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40
};

/**
 * Reads a size: "4GiB", "512 MB", or bytes.
 *
 * @returns Bytes; null for no text; NaN when it is no size.
 */
export function readSize(text: string): number | null {
  const trimmed = text.trim();
  if (!trimmed) {
    return null;
  }
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/i.exec(trimmed);
  const bytes =
    Number(match?.[1]) * (UNITS[match?.[2]?.toLowerCase() ?? ''] ?? NaN);
  return bytes >= 1 ? Math.floor(bytes) : NaN;
}

/** A size as `readSize` reads it, exactly, in its shortest form: "4GiB", "1500MiB", "10GB"; empty for none. */
export function sizeText(bytes: number | null | undefined): string {
  if (!bytes) {
    return '';
  }
  const exact = Object.entries(UNITS)
    .filter(([unit, size]) => unit && Number.isInteger(bytes / size))
    .map(([unit, size]) => `${bytes / size}${written(unit)}`);
  return [String(bytes), ...exact].reduce((shortest, one) =>
    one.length < shortest.length ? one : shortest
  );
}

function written(unit: string): string {
  return `${unit.charAt(0).toUpperCase()}${unit.slice(1)}B`;
}
