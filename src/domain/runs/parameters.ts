/** Values of parameters as people type them. Pure. */

/** A JSON value as text for a field: strings bare, anything else as JSON. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/**
 * Reads a field.
 *
 * @param type - "str" takes the text as it is; a number, truth value, list or mapping must be JSON (or
 * Python's True, False, None); "unknown" and "none" take JSON where it is some, else text.
 * @returns undefined when the text is no such value.
 */
export function fromText(text: string, type: string): unknown {
  if (type === 'str') {
    return text;
  }
  const value = parseLiteral(text.trim());
  switch (type) {
    case 'int':
      return Number.isInteger(value) ? value : undefined;
    case 'float':
      return typeof value === 'number' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'list':
      return Array.isArray(value) ? value : undefined;
    case 'dict':
      return typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value)
        ? value
        : undefined;
    default:
      return value === undefined ? text : value;
  }
}

const WORDS: Readonly<Record<string, unknown>> = {
  True: true,
  False: false,
  None: null
};

function parseLiteral(text: string): unknown {
  if (text in WORDS) {
    return WORDS[text];
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Python's numbers: "1.", ".5", "1_000".
    const plain = text.replace(/_/g, '');
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)
      ? Number(plain)
      : undefined;
  }
}
