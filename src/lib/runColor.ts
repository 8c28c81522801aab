/**
 * One colour a run, the same in every table, chart and legend.
 *
 * Each colour has at least 3:1 contrast on white and on #111 (both Lab themes). The set was found by a
 * search that kept every pair at least 23 CIE76 units apart, also as seen with protanopia, deuteranopia
 * and tritanopia (Machado 2009 matrices). More hues cannot keep that distance: use dashes.
 */
export const RUN_PALETTE: readonly string[] = [
  '#7896b4',
  '#f06900',
  '#692dff',
  '#c3001e',
  '#969669',
  '#d25aff',
  '#784ba5',
  '#a53c69'
];

/** FNV-1a: spreads ids that differ in one character, unlike a sum. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}

/** The colour of a run: a pure function of its id, so it survives reloads and needs no store. */
export function colorFor(runId: string): string {
  return RUN_PALETTE[hash(runId) % RUN_PALETTE.length] as string;
}

/** Dash patterns for runs that share a colour in one chart, in order of use; none first. */
export const RUN_DASHES: readonly (readonly number[])[] = [
  [],
  [8, 4],
  [2, 3],
  [10, 3, 2, 3]
];

/** How one run is drawn in one chart. */
export interface IRunStyle {
  color: string;
  dash: readonly number[];
}

/**
 * Styles for the runs of one chart. Colours stay those of `colorFor`; a second run of the same
 * colour gets a dash, so no two lines look alike until colours and dashes are used up.
 */
export function runStyles(runIds: readonly string[]): Map<string, IRunStyle> {
  const used = new Map<string, number>();
  const styles = new Map<string, IRunStyle>();
  for (const id of runIds) {
    const color = colorFor(id);
    const count = used.get(color) ?? 0;
    used.set(color, count + 1);
    styles.set(id, {
      color,
      dash: RUN_DASHES[count % RUN_DASHES.length] ?? []
    });
  }
  return styles;
}
