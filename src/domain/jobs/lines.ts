/** Small notations that the form's fields take. Pure. */

/**
 * Reads "NAME=value" lines; empty lines and what begins with "#" do not count.
 *
 * @param known - Names that may stand alone, for a value that is not told.
 * @returns The pairs, the names that stand alone, and the first line that is neither.
 */
export function readPairs(
  text: string,
  known: readonly string[] = []
): {
  pairs: Record<string, string>;
  kept: string[];
  wrong: string | null;
} {
  const pairs: Record<string, string> = {};
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (!trimmed || trimmed.startsWith('#')) {
      continue;
    }
    if (known.includes(trimmed)) {
      kept.push(trimmed);
      continue;
    }
    const at = trimmed.indexOf('=');
    if (at <= 0) {
      return { pairs, kept, wrong: trimmed };
    }
    pairs[trimmed.slice(0, at).trim()] = trimmed.slice(at + 1).trim();
  }
  return { pairs, kept, wrong: null };
}

/** Reads "VARIABLE=secret" lines; a name alone stands for both. */
export function readSecrets(text: string): {
  pairs: Record<string, string>;
  wrong: string | null;
} {
  const whole = text
    .split('\n')
    .map(line =>
      /^[A-Za-z_][A-Za-z0-9_]*$/.test(line.trim())
        ? `${line.trim()}=${line.trim()}`
        : line
    )
    .join('\n');
  const { pairs, wrong } = readPairs(whole);
  const nameless = Object.entries(pairs).find(([, secret]) => !secret);
  return { pairs, wrong: wrong ?? nameless?.[0] ?? null };
}

/** Secrets by variable as `readSecrets` reads them. */
export function secretsText(secrets: Readonly<Record<string, string>>): string {
  return Object.entries(secrets)
    .map(([variable, secret]) =>
      variable === secret ? secret : `${variable}=${secret}`
    )
    .join('\n');
}
