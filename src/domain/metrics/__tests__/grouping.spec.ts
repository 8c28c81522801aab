import { groupMetrics, sparklinePath, splitMetrics } from '../grouping';

describe('groupMetrics', () => {
  it('groups by prefix: bare keys first, the system last', () => {
    const keys = [
      'val/acc',
      'system/cpu',
      'loss',
      'train/b10',
      'train/b2',
      '/x'
    ];
    expect(groupMetrics(keys)).toEqual([
      { prefix: '', keys: ['/x', 'loss'] },
      { prefix: 'train', keys: ['train/b2', 'train/b10'] },
      { prefix: 'val', keys: ['val/acc'] },
      { prefix: 'system', keys: ['system/cpu'] }
    ]);
  });

  it('filters by all words', () => {
    const found = groupMetrics(['train/loss', 'val/loss', 'acc'], 'LOSS tr');
    expect(found).toEqual([{ prefix: 'train', keys: ['train/loss'] }]);
  });
});

describe('splitMetrics', () => {
  it('parts curves from what was logged once', () => {
    const known = new Map([
      ['loss', { count: 3 }],
      ['test', { count: 1 }]
    ]);
    expect(splitMetrics(['loss', 'test', 'gone'], known)).toEqual({
      curves: [{ count: 3 }],
      values: [{ count: 1 }]
    });
  });
});

describe('sparklinePath', () => {
  it('fills the box, and breaks at gaps', () => {
    expect(sparklinePath([0, 1], 10, 10)).toBe('M0.0 10.0L10.0 0.0');
    expect(sparklinePath([0, null, 1], 10, 10)).toBe('M0.0 10.0M10.0 0.0');
  });

  it('draws a flat curve in the middle, and nothing of one point', () => {
    expect(sparklinePath([2, 2], 10, 10)).toBe('M0.0 5.0L10.0 5.0');
    expect(sparklinePath([2], 10, 10)).toBe('');
    expect(sparklinePath([NaN, 2], 10, 10)).toBe('');
  });
});
