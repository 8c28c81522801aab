/**
 * Keeps what is read in its place on the screen while something above it grows, comes or goes: cells that are
 * drawn, images that arrive, the progress of the run at its end. The Lab has switched off the browser's own way.
 *
 * @param host - What shows the list.
 * @param scroller - What is scrolled in it.
 * @param list - Its children are the cells.
 * @returns A function that ends it.
 */
export function keepPlace(
  host: HTMLElement,
  scroller: HTMLElement,
  list: HTMLElement
): () => void {
  let held: { cell: Element; top: number } | null = null;
  let { bottom } = host.getBoundingClientRect();

  /** Notes the first cell in sight; at the very top there is nothing to be kept. */
  const note = (): void => {
    const { top } = scroller.getBoundingClientRect();
    const cell =
      scroller.scrollTop > 0
        ? [...list.children].find(
            child => child.getBoundingClientRect().bottom > top
          )
        : undefined;
    held = cell ? { cell, top: cell.getBoundingClientRect().top } : null;
  };
  const hold = (): void => {
    if (held?.cell.isConnected) {
      const moved = held.cell.getBoundingClientRect().top - held.top;
      if (Math.abs(moved) >= 1) {
        scroller.scrollTop += moved;
      }
    } else {
      note();
    }
  };
  const watchList = new ResizeObserver(hold);
  const watchHost = new ResizeObserver(() => {
    const now = host.getBoundingClientRect().bottom;
    // What is above it has changed; else somebody has made another layout.
    if (Math.abs(now - bottom) < 1) {
      hold();
    } else {
      note();
    }
    bottom = now;
  });
  watchList.observe(list);
  watchHost.observe(host);
  scroller.addEventListener('scroll', note, { passive: true });
  return () => {
    watchList.disconnect();
    watchHost.disconnect();
    scroller.removeEventListener('scroll', note);
  };
}
