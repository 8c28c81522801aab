import { nullTranslator } from '@jupyterlab/translation';

import {
  aGateway,
  aQueuedJob,
  aPbs,
  aSlurm,
  aTarget,
  ofHost
} from '../../../testing/compute';
import { aRun } from '../../../testing/runs';
import type { Run } from '../../runs';
import { claimEnding } from '../claim';
import { endedBetween, endingText } from '../endings';
import { countText, listText } from '../JobsStatus';
import { hasKernel, kernelsOn } from '../kernels';
import {
  refusesKind,
  takesEnvironments,
  takesKind,
  targetLabel,
  targetStart,
  targetWait
} from '../target';
import type { JobList } from '../types';

const trans = nullTranslator.load('jupyter_mlws');
/** How many characters of a notification JupyterLab shows. */
const LAB_SHOWS = 140;

describe('endings', () => {
  const a = aRun({ id: 'a' });
  const b = aRun({ id: 'b' });

  const list = (jobs: Run[], ended: string[] = []): JobList => ({
    jobs,
    ended
  });

  it('are those of jobs that were seen alive', () => {
    expect(endedBetween(list([a, b]), list([b]))).toEqual(['a']);
    expect(endedBetween(list([a, b]), list([b], ['a']))).toEqual(['a']);
    expect(endedBetween(undefined, list([b], ['a']))).toEqual([]);
    expect(endedBetween(list([a]), undefined)).toEqual([]);
  });

  it('are also those of jobs that came and went between two looks, once', () => {
    expect(endedBetween(list([b]), list([b], ['a']))).toEqual(['a']);
    expect(endedBetween(list([b], ['a']), list([b], ['a']))).toEqual([]);
    expect(endedBetween(list([b], ['a']), list([b]))).toEqual([]);
    // One that runs again has not ended.
    expect(endedBetween(list([b]), list([b, a], ['a']))).toEqual([]);
  });

  it('say how it went', () => {
    expect(endingText(aRun(), trans)).toBeNull();
    expect(endingText(aRun({ status: 'Completed' }), trans)?.text).toBe(
      'train-1 completed in 1:03.'
    );
    expect(endingText(aRun({ status: 'Canceled' }), trans)?.type).toBe('info');
    const error = {
      message: 'bad rate (cell 7)\nmore',
      kind: 'ValueError',
      cell: 6
    };
    expect(endingText(aRun({ status: 'Failed', error }), trans)).toEqual({
      type: 'error',
      text: 'train-1 failed: ValueError: bad rate (cell 7)'
    });
    expect(
      endingText(aRun({ status: 'Failed', reason: 'timeout' }), trans)?.text
    ).toContain('longer than its time limit');
  });

  it('say so of a long name, too', () => {
    const name = `grid ${'x'.repeat(200)} lr=0.1`;
    const error = { message: 'bad rate (cell 7)', kind: 'ValueError', cell: 6 };
    const told = (['Completed', 'Canceled', 'Failed'] as const).map(
      status => endingText(aRun({ name, status, error }), trans)?.text
    );
    expect(told).toEqual([
      expect.stringMatching(/^grid x+…x+ lr=0\.1 completed in 1:03\.$/),
      expect.stringMatching(/^grid x+…x+ lr=0\.1 was canceled\.$/),
      expect.stringMatching(
        /^grid x+…x+ lr=0\.1 failed: ValueError: bad rate \(cell 7\)$/
      )
    ]);
    expect(told.every(text => (text ?? '').length <= LAB_SHOWS)).toBe(true);
  });

  it('are told by one tab only', async () => {
    window.localStorage.clear();
    window.localStorage.setItem('jupyter-mlws:told:old', '1');
    expect(await claimEnding('r')).toBe(true);
    expect(await claimEnding('r')).toBe(false);
    expect(window.localStorage.getItem('jupyter-mlws:told:old')).toBeNull();
  });
});

describe('the status bar', () => {
  const jobs = [
    aRun({ name: 'one' }),
    aRun({
      name: 'two',
      status: 'Queued',
      waiting: { code: 'slot', reason: 'no slot', position: 1, until: null }
    })
  ];

  it('counts and lists', () => {
    expect(countText(jobs, trans)).toBe('1 running, 1 queued');
    expect(countText(jobs.slice(1), trans)).toBe('1 queued');
    expect(listText(jobs, trans)).toBe(
      'train / one · Running\ntrain / two · no slot'
    );
    expect(listText(new Array(12).fill(jobs[0]), trans)).toContain(
      '… and 2 more'
    );
  });
});

describe('kernels', () => {
  const here = [{ name: 'python3', display_name: 'P', language: 'python' }];
  const there = [{ name: 'ir', display_name: 'R', language: 'R' }];
  const notebooks = {
    missing: '',
    papermill: '2.7',
    ipykernel: null,
    kernels: there
  };

  it('are those of the machine that the target is', () => {
    const host = { ...aTarget(), ...ofHost({ notebooks }) };
    expect(kernelsOn(aTarget(), here)).toBe(here);
    expect(kernelsOn(undefined, here)).toBe(here);
    expect(kernelsOn(host, here)).toBe(there);
    expect(hasKernel('python3', host, here)).toBe(false);
    expect(hasKernel('ir', host, here)).toBe(true);
    expect(hasKernel('ir', aTarget(), here)).toBe(false);
  });

  it('of another Jupyter server have two names', () => {
    const { facts } = ofHost({ notebooks });
    const far = aGateway({}, { facts });
    expect(hasKernel('ir', far, here)).toBe(true);
    expect(hasKernel('mlws-far.ir', far, here)).toBe(true);
    expect(hasKernel('mlws-near.ir', far, here)).toBe(false);
    expect(hasKernel('mlws-local.ir', aTarget(), here)).toBe(false);
  });

  it('are left to the job where the host was not asked', () => {
    const host = { ...aTarget(), ...ofHost() };
    expect(kernelsOn(host, here)).toBeUndefined();
    expect(hasKernel('anything', host, here)).toBe(true);
  });
});

describe('a target', () => {
  const target = aTarget({
    running: 2,
    queued: 2,
    queue: [
      aQueuedJob({ run_id: 'a', position: 1, priority: 5 }),
      aQueuedJob({ run_id: 'b', position: 2 })
    ]
  });

  it('tells its free slots and what a job would wait for', () => {
    expect(targetLabel({ ...target, running: 1 }, 'notebook', trans)).toBe(
      'local · 1 of 2 slots free'
    );
    const commands = { ...target, kinds: ['command'] };
    expect(targetLabel(commands, 'notebook', trans)).toBe(
      'local · runs no notebooks'
    );
    const notebooks = {
      missing: 'papermill is not installed for python3',
      papermill: null,
      ipykernel: null,
      kernels: []
    };
    expect(
      targetLabel({ ...commands, ...ofHost({ notebooks }) }, 'notebook', trans)
    ).toBe('local · runs no notebooks: papermill is not installed for python3');
    const host = { ...commands, ...ofHost({ notebooks }) };
    expect(refusesKind(commands, 'notebook')).toBe(true);
    expect(refusesKind(host, 'notebook')).toBe(false);
    expect(refusesKind({ ...host, state: 'unavailable' }, 'notebook')).toBe(
      true
    );
    expect(targetLabel(commands, 'command', trans)).toBe(
      'local · 0 of 2 slots free'
    );
    expect(targetWait(target, 0, trans)).toContain('2 jobs are queued');
    expect(targetWait(target, 1, trans)).toContain('1 job is queued');
    expect(targetWait(target, 9, trans)).toContain('2 jobs are running');
    expect(
      targetWait({ ...target, running: 0, queued: 0, queue: [] }, 0, trans)
    ).toBe('');
    expect(
      targetWait({ ...target, state: 'unavailable', detail: 'off' }, 0, trans)
    ).toBe('off');
    expect(targetStart(target, trans)).toBe('Starts at once.');
  });

  it('does not say of Slurm when a job starts there', () => {
    const slurm = { ...aSlurm(), running: 2 };
    expect(targetLabel(slurm, 'notebook', trans)).toBe(
      'cluster · Slurm has 2 of at most 100 jobs'
    );
    expect(targetLabel(slurm, 'extension', trans)).toBe(
      'cluster · runs no jobs of this kind'
    );
    expect(targetWait(slurm, 0, trans)).toBe('');
    expect(targetLabel(aPbs(), 'notebook', trans)).toBe(
      'cluster · PBS has 0 of at most 100 jobs'
    );
    expect(takesEnvironments(aPbs({ via: 'login' }))).toBe(false);
    expect(targetStart(slurm, trans)).toMatch(/^Goes to Slurm/);
  });

  it('knows of Slurm behind a login node only what that node has', () => {
    const here = [
      { name: 'python3', display_name: 'Python 3', language: 'python' }
    ];
    const own = { ...aSlurm(), kinds: ['command'] };
    const via = { ...aSlurm({ via: 'login' }), kinds: ['command'] };
    expect([own, via].map(takesEnvironments)).toEqual([true, false]);
    expect([own, via].map(one => kernelsOn(one, here))).toEqual([
      here,
      undefined
    ]);
    expect([own, via].map(one => refusesKind(one, 'notebook'))).toEqual([
      true,
      false
    ]);
  });

  it('offers no environments and none of its own kernels where those are elsewhere', () => {
    const far = aGateway();
    expect(takesEnvironments(far)).toBe(false);
    expect(takesEnvironments(aSlurm())).toBe(true);
    const here = [{ name: 'python3', display_name: 'P', language: 'python' }];
    expect(kernelsOn(far, here)).toBeUndefined();
    expect(kernelsOn(aSlurm(), here)).toBe(here);
    expect(takesKind(far, 'command')).toBe(false);
    expect(refusesKind(far, 'command')).toBe(true);
  });
});
