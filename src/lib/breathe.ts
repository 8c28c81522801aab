/** Lets the page be drawn, and do what waits: what takes longer than a frame is done in slices. */
export function breathe(): Promise<void> {
  return new Promise(resolve => {
    const go = (): void => void window.setTimeout(resolve);
    // A timer alone may come before the next frame, again and again. A hidden page draws none.
    if (document.hidden) {
      go();
    } else {
      window.requestAnimationFrame(go);
    }
  });
}
