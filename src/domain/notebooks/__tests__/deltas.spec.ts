import { compact, type Delta } from '../deltas';
import { plainNotebook } from '../plainNotebook';

const delta = (op: Delta['op'], fields: object = {}): Delta => ({
  op,
  ...fields
});
const stream = (text: string, fields: object = {}): Delta =>
  delta('output', {
    cell: 0,
    output: { output_type: 'stream', name: 'stdout', text },
    ...fields
  });
const shown = (text: string, fields: object = {}): Delta =>
  delta('output', {
    cell: 0,
    output: { output_type: 'display_data', data: { 'text/plain': text } },
    ...fields
  });
const base = delta('base', {
  notebook: {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kept: true },
    cells: [
      { cell_type: 'code', id: 'c', source: 'x', metadata: {}, outputs: [] },
      { cell_type: 'markdown', id: 'm', source: '#', metadata: {} }
    ]
  }
});

describe('compact', () => {
  it('joins text of one stream, and keeps the places of its ends', () => {
    const made = compact([
      stream('a\n', { place: 10 }),
      stream('0%', { place: 20 }),
      stream('1%', { place: 30, back: 1 })
    ]);
    expect(made).toMatchObject([
      { output: { text: 'a\n1%' }, place: 10, last: 30, back: 0 }
    ]);
  });

  it('joins neither other streams nor cells, nor what is held, nor too much', () => {
    const other = stream('e');
    (other.output as unknown as { name: string }).name = 'stderr';
    const apart = [
      stream('a'),
      other,
      stream('b', { cell: 1 }),
      stream('c', { cell: 1, held: { bytes: 1e6, types: ['text/plain'] } }),
      stream('d', { cell: 1 }),
      stream('x'.repeat(16_000), { cell: 1 })
    ];
    expect(compact(apart)).toEqual(apart);
  });

  it('leaves out what is cleared again', () => {
    const loop = Array.from({ length: 1_000 }, (_, i) => [
      delta('clear', { cell: 0 }),
      shown(`frame ${i}`)
    ]).flat();
    const made = compact([shown('kept', { cell: 1 }), ...loop]);
    expect(made).toEqual([
      shown('kept', { cell: 1 }),
      delta('clear', { cell: 0 }),
      shown('frame 999')
    ]);
  });

  it('keeps the last update of a display, and only of that one', () => {
    const update = (id: string, n: number) =>
      delta('update', {
        display_id: id,
        output: { data: { 'text/plain': `${n}` } }
      });
    const made = compact([
      shown('0', { display_id: 'a' }),
      update('a', 1),
      update('b', 1),
      update('a', 2)
    ]);
    expect(made.map(({ op, display_id }) => [op, display_id])).toEqual([
      ['output', 'a'],
      ['update', 'b'],
      ['update', 'a']
    ]);
  });
});

describe('plainNotebook', () => {
  it('is what the deltas lead to', () => {
    const notebook = plainNotebook([
      base,
      delta('start', { cell: 0 }),
      stream('one\nouter 0%\n'),
      stream('inner 0%'),
      stream('outer 1%\ninner 7%', { back: 2 }),
      shown('old', { display_id: 'd' }),
      stream('more'),
      stream('out of nowhere', { cell: 1 }),
      delta('update', {
        display_id: 'd',
        output: { data: { 'text/plain': 'new' }, metadata: {} }
      }),
      delta('end', { cell: 0, execution_count: 3 }),
      delta('done')
    ]);
    expect(notebook.metadata).toEqual({ kept: true });
    expect(notebook.cells[0]).toMatchObject({
      execution_count: 3,
      outputs: [
        { output_type: 'stream', text: 'one\nouter 1%\ninner 7%' },
        { data: { 'text/plain': 'new' } },
        { output_type: 'stream', text: 'more' }
      ]
    });
    expect(notebook.cells[1]).not.toHaveProperty('outputs');
  });
});
