import { nullTranslator } from '@jupyterlab/translation';

import { isUsage, JOB_PREFIX, usageCharts } from '../usage';

const trans = nullTranslator.load('jupyter_mlws');
const GIB = 1024 ** 3;
const of = (name: string, max = 1): { key: string; max: number } => ({
  key: JOB_PREFIX + name,
  max
});

describe('usageCharts', () => {
  it('has a chart of what there is, and of nothing else', () => {
    expect(usageCharts([], null, trans)).toEqual([]);
    const some = [
      of('cpu_utilization_percentage'),
      of('memory_usage_megabytes'),
      of('processes'),
      of('cpu_time_seconds')
    ];
    const ids = usageCharts(some, null, trans).map(({ id }) => id);
    expect(ids).toEqual(['cpu', 'memory']);
  });

  it('shows memory in the unit of the greatest, and the limit in the same', () => {
    const memory = [of('memory_usage_megabytes', (300 * 1024 ** 2) / 1e6)];
    const [small] = usageCharts(memory, null, trans);
    expect(small).toMatchObject({ unit: 'MiB', limit: null });
    expect((small?.curves[0]?.factor ?? 0) * 1.048576).toBeCloseTo(1);
    const [limited] = usageCharts(memory, 4 * GIB, trans);
    expect(limited).toMatchObject({ unit: 'GiB', limit: 4 });
  });

  it('has a curve for each GPU, by its number', () => {
    const gpus = [10, 2].flatMap(n => [
      of(`gpu_${n}_utilization_percentage`),
      of(`gpu_${n}_memory_usage_megabytes`, 20_000)
    ]);
    const charts = usageCharts(gpus, null, trans);
    expect(charts.map(({ id, unit }) => [id, unit])).toEqual([
      ['gpu', '%'],
      ['gpu-memory', 'GiB']
    ]);
    expect(charts[0]?.curves.map(({ label }) => label)).toEqual([
      'GPU 2',
      'GPU 10'
    ]);
  });
});

describe('isUsage', () => {
  it('leaves what the training measured of the machine where it is', () => {
    expect(isUsage('system/job_processes')).toBe(true);
    expect(isUsage('system/cpu_utilization_percentage')).toBe(false);
    expect(isUsage('loss')).toBe(false);
  });
});
