import { headMetrics } from '../format';
import type { Run } from '../types';

const metric = (key: string, last: number, min: number, max: number) => ({
  key,
  last,
  min,
  max,
  step: 9,
  time: 1,
  count: 10
});

const metrics: Run['metrics'] = {
  acc: metric('acc', 0.3, 0.1, 0.97),
  loss: metric('loss', 0.5, 0.2, 3),
  'system/cpu': metric('system/cpu', 1, 1, 1),
  'train/acc': metric('train/acc', 1, 1, 1),
  z_score: metric('z_score', 2, 1, 4)
};

describe('headMetrics', () => {
  it('takes the first names without a goal, and their last values', () => {
    expect(headMetrics(metrics)).toEqual([
      { key: 'acc', value: 0.3 },
      { key: 'loss', value: 0.5 },
      { key: 'z_score', value: 2 }
    ]);
  });

  it('begins with the goal, and shows its best value where the last is another', () => {
    const up = { metric: 'z_score', direction: 'maximize' as const };
    expect(headMetrics(metrics, up, 2)).toEqual([
      { key: 'z_score', value: 2, best: 4 },
      { key: 'acc', value: 0.3 }
    ]);
    const down = { metric: 'loss', direction: 'minimize' as const };
    expect(headMetrics(metrics, down, 1)).toEqual([
      { key: 'loss', value: 0.5, best: 0.2 }
    ]);
    const even = { metric: 'train/acc', direction: 'maximize' as const };
    expect(headMetrics(metrics, even, 1)).toEqual([
      { key: 'train/acc', value: 1 }
    ]);
  });

  it('has no best of what is no number', () => {
    const none = { a: { ...metric('a', 1, 1, 1), last: 'NaN', max: 'NaN' } };
    const goal = { metric: 'a', direction: 'maximize' as const };
    expect(headMetrics(none as Run['metrics'], goal)).toEqual([
      { key: 'a', value: NaN }
    ]);
  });
});
