/** Writes tables as CSV (RFC 4180), such that no spreadsheet takes a cell for a formula. Pure. */

/** As the server's own CSV takes it. */
const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)$/i;

/** A value of a cell; numbers come with all their digits. */
export type CsvValue = string | number | null;

/** One cell. Text that a spreadsheet would calculate gets an apostrophe before it; numbers stay as they are. */
export function csvCell(value: CsvValue): string {
  const text = value === null ? '' : String(value);
  const plain =
    /^[=+\-@\t\r\n]/.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** A whole table. */
export function toCsv(
  columns: readonly string[],
  rows: readonly (readonly CsvValue[])[]
): string {
  return [columns, ...rows]
    .map(row => `${row.map(csvCell).join(',')}\r\n`)
    .join('');
}
