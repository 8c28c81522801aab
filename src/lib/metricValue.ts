/** Numbers as the wire carries them: JSON has no word for what is no finite number. */

/** A number, or the name of one that is not finite. */
export type WireNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** The number itself. */
export function toNumber(value: WireNumber): number {
  return typeof value === 'number' ? value : Number(value);
}
