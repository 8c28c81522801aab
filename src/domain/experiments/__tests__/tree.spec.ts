import { nullTranslator } from '@jupyterlab/translation';

import { aRun } from '../../../testing/runs';
import {
  lastValue,
  liveCount,
  runTitle,
  shortFailure,
  shownMetric
} from '../format';
import { flatRuns, moveByKey, treeRows, type ILatestRuns } from '../rows';
import { SidebarModel } from '../SidebarModel';
import type { Experiment } from '../types';

const trans = nullTranslator.load('jupyter_mlws');

const anExperiment = (
  id: string,
  part: Partial<Experiment> = {}
): Experiment => ({
  id,
  workspace: 'default',
  name: `e${id}`,
  description: '',
  tags: {},
  goal: null,
  archived: false,
  created_at: 0,
  last_run_at: null,
  runs: 3,
  by_status: { Completed: 2 },
  best: null,
  version: 1,
  ...part
});

const latest = (part: Partial<ILatestRuns>): ILatestRuns => ({
  runs: [aRun({ id: 'r1' }), aRun({ id: 'r2' })],
  total: 3,
  answeredAt: 0,
  failed: false,
  error: null,
  ...part
});

const metric = (key: string, last: number | 'NaN') => ({
  key,
  last,
  min: last,
  max: last,
  count: 1,
  step: 0,
  time: 0
});

describe('treeRows', () => {
  const two = [anExperiment('1'), anExperiment('2')];
  const kinds = (part: Partial<ILatestRuns> | null): string[] =>
    treeRows(
      two,
      new Set(['1']),
      new Map(part ? [['1', latest(part)]] : [])
    ).map(row => (row.kind === 'note' ? row.note : row.kind));

  it('unfolds runs, and says how many more there are', () => {
    expect(kinds({})).toEqual([
      'experiment',
      'run',
      'run',
      'more',
      'experiment'
    ]);
    expect(kinds({ total: 2 })).toEqual([
      'experiment',
      'run',
      'run',
      'experiment'
    ]);
  });

  it('says why there are none', () => {
    expect(kinds(null)).toContain('loading');
    expect(kinds({ runs: undefined, failed: true })).toContain('failed');
    expect(kinds({ runs: [] })).toContain('no-runs');
  });
});

describe('moveByKey', () => {
  const rows = treeRows(
    [anExperiment('1'), anExperiment('2'), anExperiment('3')],
    new Set(['1', '3']),
    new Map([['1', latest({})]])
  );
  // 0 e1 · 1 r1 · 2 r2 · 3 more · 4 e2 · 5 e3 · 6 loading
  it.each([
    [0, 'ArrowDown', { to: 1 }],
    [0, 'ArrowUp', null],
    [5, 'ArrowDown', null],
    [3, 'Home', { to: 0 }],
    [0, 'End', { to: 5 }],
    [0, 'ArrowRight', { to: 1 }],
    [4, 'ArrowRight', { toggle: '2', open: true }],
    [0, 'ArrowLeft', { toggle: '1', open: false }],
    [2, 'ArrowLeft', { to: 0 }],
    [4, 'ArrowLeft', null],
    [1, 'x', null]
  ])('row %p, %s', (index, key, move) => {
    expect(moveByKey(rows, index, key)).toEqual(move);
  });
});

describe('SidebarModel', () => {
  it('reveals a run below its unfolded experiment', () => {
    const model = new SidebarModel();
    model.show('bin');
    model.reveal('7', 'r');
    expect(model.state.get()).toMatchObject({
      view: 'active',
      expanded: ['7'],
      selected: 'run:r',
      reveal: { focus: false }
    });
    model.reveal('7', 'r');
    expect(model.state.get().expanded).toEqual(['7']);
  });

  it('remembers what is unfolded, and bears odd memories', () => {
    const model = new SidebarModel();
    model.toggle('1');
    model.toggle('2');
    model.toggle('1');
    const nobody = { seen: [] };
    expect(model.remember()).toEqual({
      view: 'active',
      expanded: ['2'],
      ...nobody
    });
    const other = new SidebarModel();
    other.recall({ view: 'archived', expanded: ['2', 3], seen: 1 });
    expect(other.remember()).toEqual({
      view: 'archived',
      expanded: ['2'],
      ...nobody
    });
    other.recall('nonsense');
    expect(other.remember()).toEqual({
      view: 'active',
      expanded: [],
      ...nobody
    });
  });

  it('unfolds the newest experiment of a workspace once', () => {
    const model = new SidebarModel();
    model.firstLook('default', '1');
    // Nobody knows yet what was remembered.
    expect(model.state.get().expanded).toEqual([]);
    model.recall(undefined);
    model.firstLook('default', '1');
    expect(model.state.get().expanded).toEqual(['1']);
    model.collapseAll();
    model.firstLook('default', '2');
    expect(model.state.get().expanded).toEqual([]);
    model.firstLook('other', '3');
    const later = new SidebarModel();
    later.recall(model.remember());
    later.firstLook('default', '4');
    expect(later.state.get().expanded).toEqual(['3']);
  });

  it('reveals an experiment where it is listed, with the focus', () => {
    const model = new SidebarModel();
    model.revealExperiment({ id: '5', archived: true });
    expect(model.state.get()).toMatchObject({
      view: 'archived',
      expanded: ['5'],
      selected: 'experiment:5',
      reveal: { focus: true }
    });
  });
});

describe('words of a row', () => {
  it('takes the goal’s metric, else the first plain one', () => {
    const run = aRun({
      metrics: {
        'system/cpu': metric('system/cpu', 1),
        'train/loss': metric('train/loss', 2),
        loss: metric('loss', 3),
        acc: metric('acc', 'NaN')
      }
    });
    expect(shownMetric(run, null)).toBe('acc');
    expect(
      shownMetric(
        run,
        anExperiment('1', { goal: { metric: 'x', direction: 'maximize' } })
      )
    ).toBe('x');
    expect(lastValue(run, 'acc')).toBeNaN();
    expect(lastValue(run, 'x')).toBeNull();
    expect(shownMetric(aRun(), null)).toBeNull();
  });

  it('says where a run failed, counted as people do', () => {
    const error = { message: 'm', kind: 'ValueError', cell: 6 };
    expect(shortFailure(aRun({ error }), trans)).toBe('cell 7: ValueError');
    expect(shortFailure(aRun({ error: { message: 'm' } }), trans)).toBe('m');
    expect(shortFailure(aRun({ reason: 'timeout' }), trans)).toContain(
      'time limit'
    );
  });

  it('tells the reason and place of waiting on hover', () => {
    const waiting = {
      code: 'slot' as const,
      reason: 'All slots are taken.',
      position: 3,
      until: null
    };
    expect(runTitle(aRun({ status: 'Queued', waiting }), trans)).toBe(
      'train-1\nAll slots are taken.\nPlace 3 in the queue'
    );
  });

  it('counts what has not ended', () => {
    expect(liveCount(anExperiment('1'))).toBe(1);
  });
});

describe('flatRuns', () => {
  it('says that there are more than are listed', () => {
    const runs = [aRun({ id: 'r1' })];
    const last = (hidden: number | null): unknown =>
      flatRuns(runs, 0, hidden)[1];
    expect(last(0)).toBeUndefined();
    expect(last(7)).toMatchObject({ kind: 'more', hidden: 7, level: 1 });
    expect(last(null)).toMatchObject({ kind: 'more', hidden: null });
  });
});
