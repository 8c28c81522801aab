import type { ICodeCellModel } from '@jupyterlab/cells';
import type * as nbformat from '@jupyterlab/nbformat';

import { OUTPUT_LIMIT, type Delta } from '../deltas';
import { NotebookDocument } from '../NotebookDocument';

const delta = (op: Delta['op'], fields: object = {}): Delta => ({
  op,
  ...fields
});
const stream = (text: string) => ({
  output_type: 'stream',
  name: 'stdout',
  text
});
const shown = (text: string) => ({
  output_type: 'display_data',
  data: { 'text/plain': text },
  metadata: {}
});
const base = delta('base', {
  notebook: {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [
      {
        cell_type: 'markdown',
        id: 'm',
        source: '# Hi',
        metadata: { trusted: true }
      },
      {
        cell_type: 'code',
        id: 'c',
        source: 'x',
        metadata: { trusted: true },
        outputs: [],
        execution_count: null
      }
    ]
  }
});

describe('NotebookDocument', () => {
  let document: NotebookDocument;
  const outputs = () =>
    (document.model.cells.get(1) as ICodeCellModel).outputs.toJSON();

  beforeEach(async () => {
    // The Lab's own model reads its cells before they are in a document, and yjs says so each time.
    jest.spyOn(console, 'warn').mockImplementation();
    document = new NotebookDocument('CUT');
    await document.apply([base, delta('start', { cell: 1 })]);
  });
  afterEach(() => {
    document.dispose();
    jest.restoreAllMocks();
  });

  it('believes no cell that calls itself trusted', () => {
    expect(document.loaded).toBe(true);
    for (const cell of document.model.cells) {
      expect(cell.trusted).toBe(false);
      expect(cell.getMetadata('editable')).toBe(false);
    }
  });

  it('grows: streams join, a carriage return overwrites, the cell stays the same object', async () => {
    const cell = document.model.cells.get(1);
    await document.apply([
      delta('output', { cell: 1, output: stream('a 1%') }),
      delta('output', { cell: 1, output: stream('\ra 2%\n') })
    ]);
    expect(outputs()).toMatchObject([{ text: 'a 2%\n' }]);
    expect(document.model.cells.get(1)).toBe(cell);
    expect(document.state.running).toBe(1);
    await document.apply([
      delta('end', { cell: 1, ok: false, execution_count: 3 }),
      delta('done')
    ]);
    expect(document.state).toEqual({ running: null, failed: 1, done: true });
    expect((cell as ICodeCellModel).executionCount).toBe(3);
  });

  it('updates displays by id, and clears', async () => {
    await document.apply([
      delta('output', { cell: 1, output: shown('one'), display_id: 'd' }),
      delta('update', { output: shown('two'), display_id: 'd' })
    ]);
    expect(outputs()).toMatchObject([{ data: { 'text/plain': 'two' } }]);
    await document.apply([delta('clear', { cell: 1 })]);
    expect(outputs()).toEqual([]);
  });

  it('holds back a flood, and gives all of it when asked', async () => {
    const part = 'y'.repeat(OUTPUT_LIMIT / 2) + '\n';
    await document.apply(
      [1, 2, 3].map(() => delta('output', { cell: 1, output: stream(part) }))
    );
    expect(document.cut).toEqual([1]);
    expect(JSON.stringify(outputs())).toContain('CUT');
    expect(JSON.stringify(outputs()).length).toBeLessThan(OUTPUT_LIMIT);
    const whole = document.toJSON().cells[1]?.['outputs'] as nbformat.IOutput[];
    expect(whole.map(o => o['text'] as string).join('')).toBe(part.repeat(3));
    document.showAll(1);
    expect(document.cut).toEqual([]);
    expect(outputs()).toMatchObject([{ text: part.repeat(3) }]);
  });

  it('survives deltas about cells that are not there', async () => {
    await document.apply([
      delta('output', { cell: 9, output: stream('x') }),
      delta('output', { cell: 0, output: stream('x') }),
      delta('end', { cell: -1 })
    ]);
    expect(outputs()).toEqual([]);
  });
});
