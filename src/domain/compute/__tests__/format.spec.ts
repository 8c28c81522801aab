import { nullTranslator } from '@jupyterlab/translation';

import { readSize, sizeText } from '../../../lib/size';
import { aTarget } from '../../../testing/compute';
import { asksText, metersOf } from '../format';
import { changedLimits, limitProblems, startLimits } from '../limits';

const trans = nullTranslator.load('jupyter_mlws');
const GIB = 2 ** 30;

describe('sizes', () => {
  it.each([
    ['4GiB', 4 * GIB],
    ['512 MB', 512e6],
    ['1.5gib', 1.5 * GIB],
    ['1024', 1024],
    ['', null],
    ['many', NaN],
    ['4 GiB more', NaN],
    ['0', NaN]
  ])('reads %p', (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });

  it.each([GIB, 1.5 * GIB, 512e6, 1, 123_456_789])(
    'writes %p so that it reads the same back',
    bytes => {
      expect(readSize(sizeText(bytes))).toBe(bytes);
    }
  );
});

describe('a target', () => {
  const target = aTarget({
    running: 1,
    cpu_count: 8,
    load: 9.26,
    memory_bytes: 16 * GIB,
    memory_used_bytes: 4 * GIB,
    total: { cpus: 8, memory_bytes: 16 * GIB, gpus: 2 },
    reserved: { cpus: 3, memory_bytes: 0, gpus: 1 }
  });

  it('has a bar for each thing that it can tell', () => {
    expect(
      metersOf(target, trans).map(({ id, value, max, text, reserved }) => [
        id,
        value,
        max,
        text,
        reserved
      ])
    ).toEqual([
      ['slots', 1, 2, '1 of 2', undefined],
      ['cpus', 8, 8, '9.3 of 8', 'Jobs asked for 3 of 8'],
      ['memory', 4 * GIB, 16 * GIB, '4 of 16 GiB', undefined],
      ['gpus', 1, 2, '1 of 2', undefined]
    ]);
    expect(metersOf(aTarget(), trans).map(({ id }) => id)).toEqual(['slots']);
  });

  it('says what a job asks for', () => {
    const asks = { cpus: 1, memory_bytes: 4 * GIB, gpus: 2 };
    expect(asksText(asks, trans)).toBe('1 CPU, 4 GiB, 2 GPUs');
    expect(asksText(aTarget().total, trans)).toBe('');
  });

  it('sends the limits that were changed, and null for those that were emptied', () => {
    const before = startLimits(target);
    expect(before).toMatchObject({ cpus: '8', memory_bytes: '16 GiB' });
    expect(changedLimits(before, before)).toEqual({});
    expect(
      changedLimits(
        { ...before, cpus: '', memory_bytes: '8 GiB', gpus_per_user: '0' },
        before
      )
    ).toEqual({ cpus: null, memory_bytes: 8 * GIB, gpus_per_user: 0 });
  });

  it('sees what is no limit', () => {
    const texts = {
      ...startLimits(target),
      max_jobs: '0',
      min_instances: '0',
      cpus: 'two',
      memory_bytes: 'much',
      gpus: '1.5'
    };
    expect(Object.keys(limitProblems(texts, trans))).toEqual([
      'max_jobs',
      'cpus',
      'memory_bytes',
      'gpus'
    ]);
    expect(limitProblems(startLimits(target), trans)).toEqual({});
  });
});
