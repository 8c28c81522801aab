import { useLayoutEffect, useRef, useState } from 'react';

import { useThemeVersion, useTrans } from '../../../ui';

/** What a page of untrusted HTML may load: nothing but what it has in itself. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/** The Lab's look of tables, by the colours of the theme. */
function pageStyle(element: HTMLElement): string {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return `
    :root { color-scheme: ${document.body.dataset['jpThemeLight'] === 'false' ? 'dark' : 'light'}; }
    body { background: ${color('--jp-layout-color0')}; color: ${color('--jp-content-font-color1')};
      font: ${style.fontSize} ${color('--jp-content-font-family')}; margin: 0; }
    table { border: none; border-collapse: collapse; font-size: 12px; }
    td, th { border: none; max-width: none; padding: 0.5em; text-align: right; white-space: nowrap; }
    thead { border-bottom: 1px solid ${color('--jp-border-color1')}; }
    tbody tr:nth-child(odd) { background: ${color('--jp-rendermime-table-row-background')}; }
    tbody tr:hover { background: ${color('--jp-rendermime-table-row-hover-background')}; }`;
}

/**
 * HTML of any size in a frame of its own, where it can run nothing, load nothing and lead nowhere. The
 * browser lays it out apart from the page.
 */
export function HeldFrame(props: { html: string }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const trans = useTrans();
  const theme = useThemeVersion();
  const [style, setStyle] = useState<string | null>(null);
  useLayoutEffect(() => {
    if (box.current) {
      setStyle(pageStyle(box.current));
    }
  }, [theme]);
  return (
    <div ref={box} className="jp-mlws-held-box jp-mlws-held-frame">
      {style !== null && (
        <iframe
          title={trans.__('Output')}
          sandbox=""
          referrerPolicy="no-referrer"
          srcDoc={`<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><base target="_blank"><style>${style}</style>${props.html}`}
        />
      )}
    </div>
  );
}
