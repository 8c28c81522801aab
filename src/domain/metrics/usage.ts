/** What a job's processes used, as charts: from the metrics that its supervisor notes. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { toNumber, type WireNumber } from '../../lib/metricValue';

/** What a supervisor notes begins so; lists of what was measured leave it out. */
export const JOB_PREFIX = 'system/job_';
const MEGABYTE = 1e6;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Whether a metric tells of the job's processes. */
export function isUsage(key: string): boolean {
  return key.startsWith(JOB_PREFIX);
}

/** One curve of a chart of usage. */
export interface IUsageCurve {
  key: string;
  label: string;
  /** What its values are multiplied by for the chart's unit. */
  factor: number;
}

/** One chart of usage. */
export interface IUsageChart {
  id: string;
  title: string;
  unit: string;
  curves: readonly IUsageCurve[];
  /** A level that must not be passed, in the chart's unit. */
  limit: number | null;
}

/** The least that is told of a metric here. */
interface IKnown {
  key: string;
  max: WireNumber;
}

/**
 * The charts that can be drawn of these metrics, in the order of the page.
 *
 * @param memoryLimit - The job's limit in bytes; null for none.
 */
export function usageCharts(
  metrics: readonly IKnown[],
  memoryLimit: number | null,
  trans: TranslationBundle
): IUsageChart[] {
  const known = new Map(metrics.map(metric => [metric.key, metric]));
  const curve = (name: string, label = '', factor = 1): IUsageCurve => ({
    key: JOB_PREFIX + name,
    label,
    factor
  });
  const memory = known.get(`${JOB_PREFIX}memory_usage_megabytes`);
  const gpus = gpuNumbers([...known.keys()]);
  const most = Math.max(
    toNumber(memory?.max ?? 0) * MEGABYTE,
    memoryLimit ?? 0,
    ...gpus.map(
      gpu => toNumber(known.get(gpuKey(gpu, 'memory'))?.max ?? 0) * MEGABYTE
    )
  );
  const [unit, size] = most >= GIB ? ['GiB', GIB] : ['MiB', MIB];
  const bytes = MEGABYTE / size;
  const charts: IUsageChart[] = [
    {
      id: 'cpu',
      title: trans.__('CPU'),
      unit: trans.__('% of a core'),
      curves: [curve('cpu_utilization_percentage', trans.__('CPU'))],
      limit: null
    },
    {
      id: 'memory',
      title: trans.__('Memory'),
      unit,
      curves: [curve('memory_usage_megabytes', trans.__('Memory'), bytes)],
      limit: memoryLimit === null ? null : memoryLimit / size
    },
    {
      id: 'disk',
      title: trans.__('Disk'),
      unit: trans.__('MB/s'),
      curves: [
        curve('disk_read_megabytes_per_second', trans.__('Read')),
        curve('disk_write_megabytes_per_second', trans.__('Written'))
      ],
      limit: null
    },
    {
      id: 'gpu',
      title: trans.__('GPU'),
      unit: '%',
      curves: gpus.map(gpu => ({
        key: gpuKey(gpu, 'utilization'),
        label: trans.__('GPU %1', gpu),
        factor: 1
      })),
      limit: null
    },
    {
      id: 'gpu-memory',
      title: trans.__('GPU memory'),
      unit,
      curves: gpus.map(gpu => ({
        key: gpuKey(gpu, 'memory'),
        label: trans.__('GPU %1', gpu),
        factor: bytes
      })),
      limit: null
    }
  ];
  return charts
    .map(chart => ({
      ...chart,
      curves: chart.curves.filter(({ key }) => known.has(key))
    }))
    .filter(({ curves }) => curves.length > 0);
}

function gpuKey(gpu: number, what: 'memory' | 'utilization'): string {
  const name =
    what === 'memory' ? 'memory_usage_megabytes' : 'utilization_percentage';
  return `${JOB_PREFIX}gpu_${gpu}_${name}`;
}

function gpuNumbers(keys: readonly string[]): number[] {
  const found = keys.flatMap(
    key => /^system\/job_gpu_(\d+)_utilization_percentage$/.exec(key)?.[1] ?? []
  );
  return found.map(Number).sort((a, b) => a - b);
}
