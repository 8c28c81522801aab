/** Terminal colours (SGR sequences) as data. Everything else that a terminal would obey is dropped. */

/** One of 16 theme colours (0–15), or a colour of the 256 or the true-colour kind as "#rrggbb". */
export type AnsiColor = number | string;

/** How text looks. */
export interface IAnsiStyle {
  fg: AnsiColor | null;
  bg: AnsiColor | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  strike: boolean;
}

/** Text of one look. */
export interface IAnsiSegment {
  text: string;
  style: IAnsiStyle;
}

/** Plain text. */
export const PLAIN: IAnsiStyle = Object.freeze({
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false
});

/** CSI … final, OSC … BEL or ST, two-byte escapes, and control characters but tab. */
const SEQUENCE =
  /\x1b\[([0-9;:?<=>]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]/g;

/** The text alone. */
export function stripAnsi(text: string): string {
  return text.replace(SEQUENCE, '');
}

/**
 * Cuts a line into pieces of one look.
 *
 * @param start - The look at the line's beginning: colours go on over line ends.
 * @returns The pieces, and the look at the end.
 */
export function parseAnsi(
  line: string,
  start: IAnsiStyle = PLAIN
): { segments: IAnsiSegment[]; end: IAnsiStyle } {
  const segments: IAnsiSegment[] = [];
  let style = start;
  let from = 0;
  const push = (text: string): void => {
    const last = segments[segments.length - 1];
    if (last && last.style === style) {
      last.text += text;
    } else if (text) {
      segments.push({ text, style });
    }
  };
  for (const match of line.matchAll(SEQUENCE)) {
    push(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') {
      style = applySgr(style, match[1] ?? '');
    }
  }
  push(line.slice(from));
  return { segments, end: style };
}

const FLAGS: Readonly<Record<number, Partial<IAnsiStyle>>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { bold: false },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null }
};

function applySgr(style: IAnsiStyle, parameters: string): IAnsiStyle {
  const codes = parameters.split(/[;:]/).map(code => Number(code || '0'));
  let next = style;
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [color, used] = extendedColor(codes.slice(i + 1));
      next = { ...next, ...(code === 38 ? { fg: color } : { bg: color }) };
      i += used;
    } else {
      next = { ...next, ...(FLAGS[code] ?? basicColor(code)) };
    }
  }
  return next;
}

function basicColor(code: number): Partial<IAnsiStyle> {
  if (code >= 30 && code <= 37) {
    return { fg: code - 30 };
  }
  if (code >= 40 && code <= 47) {
    return { bg: code - 40 };
  }
  if (code >= 90 && code <= 97) {
    return { fg: code - 82 };
  }
  return code >= 100 && code <= 107 ? { bg: code - 92 } : {};
}

/** `5;n` or `2;r;g;b` after 38 or 48: the colour, and how many numbers it took. */
function extendedColor(codes: readonly number[]): [AnsiColor | null, number] {
  const [mode, a = NaN, b = NaN, c = NaN] = codes;
  if (mode === 5) {
    return [paletteColor(a), 2];
  }
  return mode === 2 ? [hex(a, b, c), 4] : [null, codes.length];
}

function paletteColor(index: number): AnsiColor | null {
  if (!(index >= 0 && index <= 255)) {
    return null;
  }
  if (index < 16) {
    return index;
  }
  if (index >= 232) {
    const gray = 8 + (index - 232) * 10;
    return hex(gray, gray, gray);
  }
  const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return hex(
    level(Math.floor(cube / 36)),
    level(Math.floor(cube / 6) % 6),
    level(cube % 6)
  );
}

function hex(...channels: number[]): string | null {
  const valid = channels.every(n => n >= 0 && n <= 255);
  return valid
    ? `#${channels.map(n => Math.floor(n).toString(16).padStart(2, '0')).join('')}`
    : null;
}
