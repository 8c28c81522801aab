/** What a key does in a table. */
export type TableAction =
  { kind: 'move'; to: number } | { kind: 'open' } | { kind: 'toggle' };

/**
 * The action of a key.
 *
 * @param active - Index of the active row; −1 when there is none.
 * @param count - Number of rows.
 * @param page - Rows that fit on the screen.
 */
export function tableAction(
  key: string,
  active: number,
  count: number,
  page: number
): TableAction | null {
  const move = (to: number): TableAction => ({
    kind: 'move',
    to: Math.max(0, Math.min(count - 1, to))
  });
  switch (key) {
    case 'ArrowDown':
      return move(active + 1);
    case 'ArrowUp':
      return move(active - 1);
    case 'PageDown':
      return move(active + page);
    case 'PageUp':
      return move(active - page);
    case 'Home':
      return move(0);
    case 'End':
      return move(count - 1);
    case 'Enter':
      return active >= 0 ? { kind: 'open' } : null;
    case ' ':
      return active >= 0 ? { kind: 'toggle' } : null;
    default:
      return null;
  }
}
