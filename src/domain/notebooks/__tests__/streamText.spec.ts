import { joinChanges, settled, StreamParts, takeBack } from '../streamText';

describe('takeBack', () => {
  it('takes the last lines; the unfinished one counts', () => {
    expect(takeBack('a\nb\nc', 0)).toBe('a\nb\nc');
    expect(takeBack('a\nb\nc', 1)).toBe('a\nb\n');
    expect(takeBack('a\nb\n', 1)).toBe('a\nb\n');
    expect(takeBack('a\nb\nc', 2)).toBe('a\n');
    expect(takeBack('a\nb\nc', 9)).toBe('');
    expect(takeBack('\n', 2)).toBe('');
    expect(takeBack('', 1)).toBe('');
  });
});

describe('joinChanges', () => {
  const apply = (text: string, change: { back: number; text: string }) =>
    takeBack(text, change.back) + change.text;
  const texts = ['', 'x', 'x\n', '\n', 'x\ny', 'x\ny\nz\n'];
  const changes = texts.flatMap(text =>
    [0, 1, 2, 3].map(back => ({ back, text }))
  );

  it('leads to the same as one after the other', () => {
    for (const start of ['', 'a', 'a\nb', 'a\nb\nc\nd\ne']) {
      for (const first of changes) {
        for (const second of changes) {
          expect(apply(start, joinChanges(first, second))).toBe(
            apply(apply(start, first), second)
          );
        }
      }
    }
  });
});

describe('settled', () => {
  it('keeps of each line what stands at last', () => {
    expect(settled('a\rb\nc\r\nd\r\r\ne\r')).toBe('b\nc\nd\ne\r');
  });
});

describe('StreamParts', () => {
  it('keeps a long text that changes at its end', () => {
    const parts = new StreamParts();
    let truth = '';
    for (let i = 0; i < 3_000; i += 1) {
      const text = `line ${i} ${'x'.repeat(80)}\nouter ${i}\ninner ${i}`;
      const back = i === 0 ? 0 : 2;
      parts.add(text, back);
      truth = takeBack(truth, back) + text;
    }
    expect(parts.toString() === truth).toBe(true);
  });
});
