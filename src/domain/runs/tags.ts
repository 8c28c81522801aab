/** Reads a tag as people type it: "key=value", "key: value" or "key". */
export function parseTag(text: string): { key: string; value: string } | null {
  const found = /^([^=:]+?)\s*(?:[=:]\s*(.*))?$/.exec(text.trim());
  return found?.[1] ? { key: found[1], value: found[2] ?? '' } : null;
}

/** A run with it is spared by the clean-up of its experiment. */
export const KEEP_TAG = 'mlws.keep';

/** Whether a run is marked to be kept; as the server reads the tag. */
export function isKept(tags: Readonly<Record<string, string>>): boolean {
  return !['', '0', 'no', 'false'].includes(
    (tags[KEEP_TAG] ?? '').toLowerCase()
  );
}
