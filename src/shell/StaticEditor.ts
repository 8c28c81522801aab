import type { CodeEditor } from '@jupyterlab/codeeditor';
import {
  jupyterHighlightStyle,
  type IEditorLanguageRegistry
} from '@jupyterlab/codemirror';
import { Signal } from '@lumino/signaling';

/** A longer source is not coloured, and one that is longer still is cut: a copy has all of it. */
const COLORED_CHARS = 50_000;
const SHOWN_CHARS = 200_000;

const START: CodeEditor.IPosition = { line: 0, column: 0 };
const NOWHERE: CodeEditor.IRange = { start: START, end: START };

/**
 * Code to read: coloured text, and nothing else. A real editor costs milliseconds a cell when it is made,
 * and looks at its layout whenever anything scrolls: with some hundred of them a page stands still.
 */
export class StaticEditor implements CodeEditor.IEditor {
  constructor(
    options: CodeEditor.IOptions,
    private readonly languages: IEditorLanguageRegistry
  ) {
    this.host = options.host;
    this.model = options.model;
    this.uuid = options.uuid ?? '';
    this.host.classList.add('jp-mlws-code');
    this.model.sharedModel.changed.connect(this._draw);
    this.model.mimeTypeChanged.connect(this._draw);
    mountColors();
    this._draw();
  }

  readonly edgeRequested = new Signal<this, CodeEditor.EdgeLocation>(this);
  readonly host: HTMLElement;
  readonly model: CodeEditor.IModel;
  uuid: string;

  get isDisposed(): boolean {
    return this._disposed;
  }

  get lineCount(): number {
    return this._lines.length;
  }

  readonly lineHeight = 17;
  readonly charWidth = 8;

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      this.model.sharedModel.changed.disconnect(this._draw);
      this.model.mimeTypeChanged.disconnect(this._draw);
      Signal.clearData(this);
    }
  }

  getLine(line: number): string | undefined {
    return this._lines[line];
  }

  getOffsetAt(position: CodeEditor.IPosition): number {
    return this._lines
      .slice(0, position.line)
      .reduce((sum, line) => sum + line.length + 1, position.column);
  }

  getPositionAt(offset: number): CodeEditor.IPosition {
    const before = this._source.slice(0, offset).split('\n');
    return {
      line: before.length - 1,
      column: before[before.length - 1]?.length ?? 0
    };
  }

  // There is no cursor, and nothing to be set.
  getOption(): unknown {
    return undefined;
  }
  setOption(): void {}
  setOptions(): void {}
  setBaseOptions(): void {}
  injectExtension(): void {}
  undo(): void {}
  redo(): void {}
  clearHistory(): void {}
  focus(): void {}
  blur(): void {}
  hasFocus(): boolean {
    return false;
  }
  getCursorPosition(): CodeEditor.IPosition {
    return START;
  }
  setCursorPosition(): void {}
  getSelection(): CodeEditor.IRange {
    return NOWHERE;
  }
  setSelection(): void {}
  getSelections(): CodeEditor.IRange[] {
    return [NOWHERE];
  }
  setSelections(): void {}
  revealPosition(): void {}
  revealSelection(): void {}
  getCoordinateForPosition(): null {
    return null;
  }
  getPositionForCoordinate(): null {
    return null;
  }
  getTokens(): CodeEditor.IToken[] {
    return [];
  }
  getTokenAt(offset: number): CodeEditor.IToken {
    return { value: '', offset };
  }
  getTokenAtCursor(): CodeEditor.IToken {
    return { value: '', offset: 0 };
  }
  newIndentedLine(): void {}

  private get _source(): string {
    return this.model.sharedModel.getSource();
  }

  private get _lines(): string[] {
    return this._source.split('\n');
  }

  private readonly _draw = (): void => {
    const source = this._source;
    const plain = document.createElement('pre');
    plain.textContent =
      source.length > SHOWN_CHARS
        ? `${source.slice(0, SHOWN_CHARS)} …`
        : source;
    this.host.replaceChildren(plain);
    if (source.length <= COLORED_CHARS) {
      void this._color(plain, source);
    }
  };

  /** Takes the place of the plain text once the language is loaded. */
  private async _color(plain: HTMLElement, source: string): Promise<void> {
    const language = this.languages.findByMIME(this.model.mimeType);
    const colored = document.createElement('pre');
    await this.languages.highlight(source, language, colored);
    if (plain.parentElement === this.host && !this._disposed) {
      this.host.replaceChildren(colored);
    }
  }

  private _disposed = false;
}

/** The colours of code: the first editor of the Lab brings them along, but there may be none. */
function mountColors(): void {
  const id = 'jp-mlws-code-colors';
  const rules = jupyterHighlightStyle.module?.getRules();
  if (rules && !document.getElementById(id)) {
    const style = document.createElement('style');
    style.id = id;
    style.textContent = rules;
    document.head.append(style);
  }
}
