import type { IEditorServices } from '@jupyterlab/codeeditor';
import { Notebook, StaticNotebook } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type RefObject
} from 'react';

import type { INotebookViewProps, NotebookView } from '../domain/notebooks';

/** What the Lab draws notebooks with. */
export interface INotebookTools {
  rendermime: IRenderMimeRegistry;
  editors: IEditorServices;
}

const RUNNING_CLASS = 'jp-mlws-cell-running';
const FAILED_CLASS = 'jp-mlws-cell-failed';

/** A component that draws a notebook by the Lab's own cells: untrusted, and not to be edited. */
export function notebookView(tools: INotebookTools): NotebookView {
  return function LabNotebook(props: INotebookViewProps): JSX.Element {
    const { document, running, failed, target } = props;
    const host = useRef<HTMLDivElement>(null);
    const widget = useWidget(host, tools, document);
    useMark(widget, running, RUNNING_CLASS);
    useMark(widget, failed, FAILED_CLASS);
    useEffect(() => {
      if (widget && target) {
        void widget.scrollToItem(target.cell, 'center');
      }
    }, [widget, target]);
    return <div ref={host} className="jp-mlws-notebook-host" />;
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
    const observer = new ResizeObserver(() => {
      MessageLoop.sendMessage(made, Widget.ResizeMessage.UnknownSize);
      made.update();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      setWidget(null);
      made.dispose();
    };
  }, [host, tools, document]);
  return widget;
}

function createNotebook(tools: INotebookTools): StaticNotebook {
  const { rendermime, editors } = tools;
  const notebook = new StaticNotebook({
    rendermime: rendermime.clone(),
    contentFactory: new Notebook.ContentFactory({
      editorFactory: options => editors.factoryService.newInlineEditor(options)
    }),
    mimeTypeService: editors.mimeTypeService,
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
