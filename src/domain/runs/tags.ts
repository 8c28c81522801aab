/** Reads a tag as people type it: "key=value", "key: value" or "key". */
export function parseTag(text: string): { key: string; value: string } | null {
  const found = /^([^=:]+?)\s*(?:[=:]\s*(.*))?$/.exec(text.trim());
  return found?.[1] ? { key: found[1], value: found[2] ?? '' } : null;
}
