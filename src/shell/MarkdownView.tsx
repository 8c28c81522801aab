import { MimeModel, type IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { useLayoutEffect, useRef, type ComponentType } from 'react';

const MIME = 'text/markdown';

/** A component that draws Markdown by the Lab's own renderer, as text that nobody vouches for. */
export function markdownView(
  rendermime: IRenderMimeRegistry
): ComponentType<{ source: string }> {
  return function MarkdownView(props): JSX.Element {
    const { source } = props;
    const host = useRef<HTMLDivElement>(null);
    useLayoutEffect(() => {
      if (!host.current) {
        return;
      }
      const renderer = rendermime.createRenderer(MIME);
      Widget.attach(renderer, host.current);
      void renderer.renderModel(
        new MimeModel({ data: { [MIME]: source }, trusted: false })
      );
      return () => renderer.dispose();
    }, [source]);
    return <div ref={host} className="jp-mlws-markdown" />;
  };
}
