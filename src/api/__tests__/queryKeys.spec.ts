import type { IHint } from '../hints';
import { isShownBy, isTouched, queryKeys } from '../queryKeys';

const runs = queryKeys('run');
const experiments = queryKeys('experiment');
const hint: IHint = {
  seq: 1,
  workspace: 'w',
  kind: 'run',
  id: 'r1',
  parent: 'e1'
};

describe('isTouched', () => {
  it.each([
    ['lists of the concept', runs.list({ page: 2 }), true],
    ['the object', runs.detail('r1'), true],
    ['a part of the object', runs.detail('r1', 'logs'), true],
    ['its parent', experiments.detail('e1'), true],
    ['what stands below its parent', runs.of('e1', 'latest'), true],
    ['what stands below another parent', runs.of('e2', 'latest'), false],
    [
      'what of another kind stands below its parent',
      experiments.of('e1'),
      false
    ],
    ['lists of its workspace', runs.list({ workspace: 'w' }), true],
    ['lists of another workspace', runs.list({ workspace: 'v' }), false],
    ['another object', runs.detail('r2'), false],
    ['another concept', experiments.list(), false],
    ['another parent', experiments.detail('e2'), false]
  ])('%s', (_what, key, touched) => {
    expect(isTouched(key, hint)).toBe(touched);
  });

  it('touches what a workspace lists when that workspace changes', () => {
    const change: IHint = { ...hint, kind: 'workspace', id: 'w', parent: null };
    expect(isTouched(runs.list({ workspace: 'w' }), change)).toBe(true);
    expect(isTouched(runs.list({ workspace: 'v' }), change)).toBe(false);
    expect(isTouched(queryKeys('compute').list(), change)).toBe(false);
    expect(isTouched(queryKeys('workspace').list(), change)).toBe(true);
  });

  it('has no parent to touch when there is none', () => {
    expect(isTouched(['x', 'detail', null], { ...hint, parent: null })).toBe(
      false
    );
  });
});

describe('isShownBy', () => {
  const points: IHint = { ...hint, kind: 'metrics' };
  it.each([
    ['the run', runs.detail('r1'), true],
    ['the rows of its experiment', runs.of('e1', 'latest', 5), true],
    ['the experiment itself', runs.of('e1', 'head'), false],
    ['a part of the run', runs.detail('r1', 'job'), false],
    ['another run', runs.detail('r2'), false],
    ['rows of another experiment', runs.of('e2', 'latest', 5), false],
    ['its metrics', queryKeys('metrics').detail('r1'), false]
  ])('%s', (_what, key, shown) => {
    expect(isShownBy(key, points)).toBe(shown);
    expect(isShownBy(key, hint)).toBe(false);
  });
});
