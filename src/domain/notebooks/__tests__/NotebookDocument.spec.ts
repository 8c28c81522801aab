import type { ICodeCellModel } from '@jupyterlab/cells';

import { CELL_CHARS, CELL_OUTPUTS } from '../CellOutputs';
import type { Delta } from '../deltas';
import { HELD_TYPE, heldKey } from '../held';
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
const output = (made: object, fields: object = {}) =>
  delta('output', { cell: 1, output: made, ...fields });
const code = (id: string) => ({
  cell_type: 'code',
  id,
  source: 'x',
  metadata: { trusted: true },
  outputs: [],
  execution_count: null
});
const base = (cells: object[] = [code('c')]) =>
  delta('base', {
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
        ...cells
      ]
    }
  });

let document: NotebookDocument;
const cellOf = (index: number) =>
  document.model.cells.get(index) as ICodeCellModel;
const outputs = () => cellOf(1).outputs.toJSON();
const heldAt = (index: number) => {
  const key = heldKey(cellOf(1).outputs.get(index).data);
  return key === null ? null : document.held(key);
};

beforeEach(async () => {
  // The Lab's own model reads its cells before they are in a document, and yjs says so each time.
  jest.spyOn(console, 'warn').mockImplementation();
  document = new NotebookDocument();
  await document.apply([base(), delta('start', { cell: 1 })]);
});
afterEach(() => {
  document.dispose();
  jest.restoreAllMocks();
});

describe('NotebookDocument', () => {
  it('believes no cell that calls itself trusted', () => {
    expect(document.loaded).toBe(true);
    for (const cell of document.model.cells) {
      expect(cell.trusted).toBe(false);
      expect(cell.getMetadata('editable')).toBe(false);
    }
  });

  it('takes notebooks of many cells in slices', async () => {
    const many = Array.from({ length: 203 }, (_, i) => code(`cell-${i}`));
    await document.apply([
      base(many),
      output(stream('last'), { cell: 203 }),
      delta('done')
    ]);
    expect(document.model.cells.length).toBe(204);
    expect(cellOf(203).id).toBe('cell-202');
    expect(cellOf(203).outputs.toJSON()).toMatchObject([{ text: 'last' }]);
  });

  it('grows: streams go on, lines are taken back, the cell stays the same object', async () => {
    const cell = document.model.cells.get(1);
    await document.apply([output(stream('begin\nouter 0%\n'))]);
    await document.apply([output(stream('inner 0%'))]);
    await document.apply([output(stream('outer 1%\ninner 9%'), { back: 2 })]);
    expect(outputs()).toMatchObject([{ text: 'begin\nouter 1%\ninner 9%' }]);
    expect(document.model.cells.get(1)).toBe(cell);
    expect(document.state.running).toBe(1);
    await document.apply([
      delta('end', { cell: 1, ok: false, execution_count: 3 }),
      delta('done')
    ]);
    expect(document.state).toEqual({ running: null, failed: 1, done: true });
    expect(cellOf(1).executionCount).toBe(3);
  });

  it('obeys carriage returns, as files hold them', async () => {
    await document.apply([output(stream('a 1%\ra 2%'))]);
    expect(outputs()).toMatchObject([{ text: 'a 2%' }]);
    await document.apply([
      output(shown('between')),
      output(stream('b 1%\r')),
      output(stream('b 2%\nend'), { cell: 1 })
    ]);
    expect(outputs()).toMatchObject([{}, {}, { text: 'b 2%\nend' }]);
  });

  it('tells streams apart', async () => {
    await document.apply([
      output(stream('out')),
      output({ ...stream('err'), name: 'stderr' }),
      output(stream('out again'))
    ]);
    expect(outputs()).toMatchObject([
      { name: 'stdout', text: 'out' },
      { name: 'stderr', text: 'err' },
      { name: 'stdout', text: 'out again' }
    ]);
  });

  it('updates displays by id, and clears', async () => {
    await document.apply([output(shown('one'), { display_id: 'd' })]);
    await document.apply([
      delta('update', { output: shown('two'), display_id: 'd' })
    ]);
    expect(outputs()).toMatchObject([{ data: { 'text/plain': 'two' } }]);
    await document.apply([delta('clear', { cell: 1 })]);
    expect(outputs()).toEqual([]);
  });

  it('survives deltas about cells that are not there', async () => {
    await document.apply([
      output(stream('x'), { cell: 9 }),
      output(stream('x'), { cell: 0 }),
      delta('end', { cell: -1 })
    ]);
    expect(outputs()).toEqual([]);
  });
});

describe('held outputs', () => {
  const image = {
    place: 70,
    held: {
      bytes: 9e6,
      types: ['image/png', 'text/plain'],
      width: 30,
      height: 20
    }
  };

  it('stand in the place of what the server has shortened', async () => {
    await document.apply([
      output(shown('<Figure>'), { ...image, display_id: 'd' }),
      output(stream('after'))
    ]);
    expect(outputs()).toMatchObject([
      { data: { 'text/plain': '<Figure>' } },
      { text: 'after' }
    ]);
    expect(heldAt(0)).toMatchObject({
      first: 70,
      bytes: 9e6,
      width: 30,
      stream: null
    });
    await document.apply([
      delta('update', {
        output: shown('<Figure>'),
        display_id: 'd',
        ...image,
        place: 90
      })
    ]);
    expect(heldAt(0)).toMatchObject({ first: 90 });
    const key = heldAt(0)?.key ?? '';
    document.reveal(key, shown('whole'));
    expect(outputs()[0]).toMatchObject({ data: { 'text/plain': 'whole' } });
    expect(document.held(key)).toBeNull();
  });

  it('take the text that goes on with theirs', async () => {
    const held = {
      bytes: 1e6,
      types: ['text/plain'],
      lines: 9_000,
      tail: 'line 8999\nline 9'
    };
    await document.apply([
      output(stream('line 0\n'), { place: 10, held }),
      output(stream('000\nouter\n'), { place: 20 }),
      output(stream('changed\ninner'), { place: 30, back: 2 })
    ]);
    expect(outputs()).toHaveLength(1);
    expect(heldAt(0)).toMatchObject({
      first: 10,
      last: 30,
      head: 'line 0\n',
      stream: 'stdout'
    });
    expect(heldAt(0)?.tail).toBe('line 8999\nline 9000\nchanged\ninner');
    await document.apply([output(shown('next'))]);
    expect(outputs()).toHaveLength(2);
  });

  it('begin where a cell prints more than fits on a page', async () => {
    const part = `${'y'.repeat(CELL_CHARS / 2 - 10)}\n`;
    await document.apply(
      [1, 2, 3, 4].map(place => output(stream(part), { place }))
    );
    expect(outputs()).toHaveLength(2);
    expect(JSON.stringify(outputs()).length).toBeLessThan(CELL_CHARS + 1_000);
    expect(heldAt(1)).toMatchObject({
      first: 3,
      last: 4,
      stream: 'stdout',
      rest: true,
      bytes: 2 * part.length
    });
    expect(document.size).toBeLessThan(CELL_CHARS + 100);
  });

  it('are shown portion by portion where they are many', async () => {
    const all = Array.from({ length: 2 * CELL_OUTPUTS + 7 }, (_, place) =>
      output(shown(`${place}`), { place, display_id: `d${place}` })
    );
    await document.apply(all);
    await document.apply([
      delta('update', { display_id: `d${CELL_OUTPUTS}`, output: shown('late') })
    ]);
    const key = heldAt(CELL_OUTPUTS)?.key ?? '';
    expect(heldAt(CELL_OUTPUTS)).toMatchObject({
      first: CELL_OUTPUTS,
      last: 2 * CELL_OUTPUTS + 6,
      stream: null
    });
    const next = CELL_OUTPUTS + 400;
    document.showMore(key, all.slice(CELL_OUTPUTS, next), next);
    expect(document.held(key)).toBeNull();
    expect(outputs()).toHaveLength(next + 1);
    expect(outputs()[CELL_OUTPUTS]).toMatchObject({
      data: { 'text/plain': 'late' }
    });
    expect(heldAt(next)).toMatchObject({
      first: next,
      last: 2 * CELL_OUTPUTS + 6
    });
    await document.apply([output(shown('still running'), { place: 5_000 })]);
    expect(heldAt(next)).toMatchObject({ last: 5_000 });
    expect(outputs()).toHaveLength(next + 1);
  });

  it('go with the outputs of their cell', async () => {
    await document.apply([output(shown('<Figure>'), image)]);
    const key = heldAt(0)?.key ?? '';
    expect(document.held(key)).not.toBeNull();
    await document.apply([delta('clear', { cell: 1 })]);
    expect(document.held(key)).toBeNull();
    expect(document.size).toBe(0);
  });

  it('cannot be made by a notebook', async () => {
    await document.apply([
      output({
        ...shown('x'),
        data: { 'text/plain': 'x', [HELD_TYPE]: { key: '1.1' } }
      })
    ]);
    expect(outputs()).toMatchObject([{ data: { 'text/plain': 'x' } }]);
    expect(JSON.stringify(outputs())).not.toContain(HELD_TYPE);
  });
});
