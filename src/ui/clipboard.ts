/**
 * Puts text on the clipboard.
 *
 * `navigator.clipboard` exists only on https and localhost; on plain `http://hostname`, where many
 * shared Labs are, the old way still works.
 *
 * @returns Whether it worked.
 */
export async function copyText(text: string): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Refused by a permission or an unfocused page: the old way may do.
    }
  }
  return copyBySelection(text);
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'jp-mlws-sr-only';
  area.setAttribute('aria-hidden', 'true');
  document.body.appendChild(area);
  area.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) {
      focused.focus();
    }
  }
}
