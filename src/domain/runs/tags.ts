/** Reads a tag as people type it: "key=value", "key: value" or "key". */
export function parseTag(text: string): { key: string; value: string } | null {
  const found = /^\s*([^=:]+?)\s*(?:[=:]\s*(.*?)\s*)?$/.exec(text);
  return found?.[1] ? { key: found[1], value: found[2] ?? '' } : null;
}
