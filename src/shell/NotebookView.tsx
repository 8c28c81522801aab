import { CodeCell } from '@jupyterlab/cells';
import type { IEditorMimeTypeService } from '@jupyterlab/codeeditor';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { Notebook, StaticNotebook } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type RefObject
} from 'react';

import type { INotebookViewProps, NotebookView } from '../domain/notebooks';
import { keepPlace } from './keepPlace';
import { StaticEditor } from './StaticEditor';
import { addHeldOutputs, HeldOutputs, HeldPlaces } from './HeldOutputs';

/** What the Lab draws notebooks with. */
export interface INotebookTools {
  rendermime: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry;
  mimeTypes: IEditorMimeTypeService;
}

const RUNNING_CLASS = 'jp-mlws-cell-running';
const FAILED_CLASS = 'jp-mlws-cell-failed';

/** A component that draws a notebook by the Lab's own cells: untrusted, and not to be edited. */
export function notebookView(tools: INotebookTools): NotebookView {
  return function LabNotebook(props: INotebookViewProps): JSX.Element {
    const { document, held, running, failed, target } = props;
    const host = useRef<HTMLDivElement>(null);
    const { rendermime, places } = useMemo(() => {
      const own = tools.rendermime.clone();
      const found = new HeldPlaces();
      addHeldOutputs(own, held, found);
      return { rendermime: own, places: found };
    }, [held]);
    const widget = useWidget(host, { ...tools, rendermime }, document);
    useMark(widget, running, RUNNING_CLASS);
    useMark(widget, failed, FAILED_CLASS);
    useEffect(() => {
      if (widget && target) {
        void widget.scrollToItem(target.cell, 'center');
      }
    }, [widget, target]);
    return (
      <div ref={host} className="jp-mlws-notebook-host">
        <HeldOutputs {...{ places, held, rendermime }} />
      </div>
    );
  };
}

/** The Lab's widget in the host element, of its size. */
function useWidget(
  host: RefObject<HTMLDivElement>,
  tools: INotebookTools,
  document: INotebookViewProps['document']
): StaticNotebook | null {
  const [widget, setWidget] = useState<StaticNotebook | null>(null);
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) {
      return;
    }
    const made = createNotebook(tools);
    made.model = document.model;
    Widget.attach(made, element);
    setWidget(made);
    const letGo = keepPlace(element, made.outerNode, made.viewportNode);
    const observer = new ResizeObserver(() => {
      MessageLoop.sendMessage(made, Widget.ResizeMessage.UnknownSize);
      made.update();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      letGo();
      setWidget(null);
      made.dispose();
    };
    // The tools are the Lab's, and stay.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [host, tools.rendermime, document]);
  return widget;
}

/**
 * A code cell that does not measure its outputs at each of their changes: the icon that depends on it is
 * seen only under the pointer, and each measuring lays out the whole page.
 */
class CalmCodeCell extends CodeCell {
  constructor(options: CodeCell.IOptions) {
    super(options);
    this.outputArea.node.addEventListener('pointerover', event => {
      const at = event.target as Element;
      if (at.classList.contains('jp-OutputArea-promptOverlay')) {
        super.updatePromptOverlayIcon();
      }
    });
  }

  override updatePromptOverlayIcon(): void {}
}

class ContentFactory extends Notebook.ContentFactory {
  override createCodeCell(options: CodeCell.IOptions): CodeCell {
    return new CalmCodeCell(options).initializeState();
  }
}

function createNotebook(tools: INotebookTools): StaticNotebook {
  const { rendermime, languages, mimeTypes } = tools;
  const notebook = new StaticNotebook({
    rendermime,
    contentFactory: new ContentFactory({
      editorFactory: options => new StaticEditor(options, languages)
    }),
    mimeTypeService: mimeTypes,
    editorConfig: StaticNotebook.defaultEditorConfig,
    notebookConfig: StaticNotebook.defaultNotebookConfig
  });
  notebook.addClass('jp-mlws-static-notebook');
  return notebook;
}

/** Marks one cell; the mark follows as the index changes. */
function useMark(
  widget: StaticNotebook | null,
  index: number | null,
  className: string
): void {
  useEffect(() => {
    const cell = widget && index !== null ? widget.widgets[index] : undefined;
    cell?.addClass(className);
    return () => {
      if (cell && !cell.isDisposed) {
        cell.removeClass(className);
      }
    };
  }, [widget, index, className]);
}
