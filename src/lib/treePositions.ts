/** Where a row stands among its siblings: from 1, as screen readers say it. */
export interface ITreePosition {
  pos: number;
  size: number;
}

/**
 * The places of a tree's rows among their siblings. A tree of which only the rows in sight stand in the page must
 * say them, or readers count what they see.
 *
 * @param levels - The level of each row, 1 at the top, in the order on screen; null for what is no item of the tree.
 * @returns null for those.
 */
export function treePositions(
  levels: readonly (number | null)[]
): (ITreePosition | null)[] {
  // The set that is open at each level; a row higher up closes those below it.
  const open: { size: number }[] = [];
  const places = levels.map(level => {
    if (level === null) {
      return null;
    }
    open.length = Math.min(open.length, level);
    const set = (open[level - 1] ??= { size: 0 });
    set.size += 1;
    return { pos: set.size, set };
  });
  return places.map(place => place && { pos: place.pos, size: place.set.size });
}
