/**
 * Keeps a list from jumping while its order changes on the server: what stands already keeps its place,
 * what is gone goes, and what is new comes right after the one that precedes it in the new order.
 *
 * @param before - Ids as they stand.
 * @param after - Ids in the server's order.
 */
export function stableOrder(
  before: readonly string[],
  after: readonly string[]
): string[] {
  const there = new Set(after);
  const kept = before.filter(id => there.has(id));
  const known = new Set(kept);
  const followers = new Map<string | null, string[]>();
  let last: string | null = null;
  for (const id of after) {
    if (known.has(id)) {
      last = id;
    } else {
      followers.set(last, [...(followers.get(last) ?? []), id]);
    }
  }
  return [
    ...(followers.get(null) ?? []),
    ...kept.flatMap(id => [id, ...(followers.get(id) ?? [])])
  ];
}
