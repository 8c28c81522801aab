/** What a table cell can be sorted by. */
export type SortValue = string | number | boolean | Date | null | undefined;

/** No value and NaN: they stand last, whichever the direction. */
export function isBlank(value: SortValue): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'number' && Number.isNaN(value))
  );
}

const collator = new Intl.Collator(undefined, {
  numeric: true,
  sensitivity: 'base'
});

/** Orders two values that are not blank: numbers by size, words as people do ("lr-2" < "lr-10"). */
export function compareValues(a: SortValue, b: SortValue): number {
  if (typeof a === 'string' || typeof b === 'string') {
    return collator.compare(String(a), String(b));
  }
  return Math.sign(Number(a) - Number(b)) || 0;
}
