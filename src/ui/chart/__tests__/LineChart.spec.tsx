import { act, fireEvent, render, screen } from '@testing-library/react';

import { LineChart, type ILineSeries } from '..';
import { chartOptions, formatX } from '../chartOptions';

/** Stands for uPlot, which needs a canvas that jsdom has not; real pixels are for the UI tests. */
class MockPlot {
  static all: MockPlot[] = [];
  static rangeNum = jest.fn(() => [0, 1]);
  static rangeLog = jest.fn(() => [0.1, 1]);

  data: unknown[][];
  width: number;
  height: number;
  scales: Record<string, { min?: number; max?: number }> = { x: {} };
  series: { show?: boolean }[];
  cursor: { idx: number | null } = { idx: null };
  destroy = jest.fn();
  setScale = jest.fn();
  setSize = jest.fn();
  setSeries = jest.fn((i: number, change: { show: boolean }) => {
    this.series[i] = { ...this.series[i], ...change };
  });
  setData = jest.fn((data: unknown[][]) => {
    this.data = data;
  });
  batch = (run: () => void): void => run();

  constructor(
    readonly options: {
      width: number;
      height: number;
      series: { show?: boolean; stroke?: string }[];
      hooks: { setCursor: ((self: MockPlot) => void)[] };
    },
    data: unknown[][]
  ) {
    this.data = data;
    this.width = options.width;
    this.height = options.height;
    this.series = [...options.series];
    MockPlot.all.push(this);
  }

  static get last(): MockPlot {
    return MockPlot.all[MockPlot.all.length - 1] as MockPlot;
  }
}

jest.mock('uplot', () => ({
  __esModule: true,
  get default() {
    return MockPlot;
  }
}));

function series(...values: number[]): ILineSeries[] {
  return [
    {
      id: 'run-1',
      label: 'lr-0.1',
      steps: values.map((_, i) => i),
      times: values.map((_, i) => i * 60_000),
      values
    }
  ];
}

beforeEach(() => {
  MockPlot.all = [];
});

describe('LineChart', () => {
  it('takes live data without being made anew', () => {
    const { rerender } = render(
      <LineChart title="loss" series={series(3, 2)} />
    );
    rerender(<LineChart title="loss" series={series(3, 2, 1)} />);
    expect(MockPlot.all).toHaveLength(1);
    expect(MockPlot.last.setData).toHaveBeenCalledWith(
      [
        [0, 1, 2],
        [3, 2, 1]
      ],
      true
    );
    expect(screen.getByRole('button', { name: /lr-0.1/ })).toHaveTextContent(
      '1'
    );
  });

  it('keeps a zoom while data comes', () => {
    const { rerender } = render(
      <LineChart title="loss" series={series(3, 2, 1)} />
    );
    MockPlot.last.scales['x'] = { min: 1, max: 2 };
    rerender(<LineChart title="loss" series={series(3, 2, 1, 0)} />);
    expect(MockPlot.last.setData).toHaveBeenLastCalledWith(
      expect.anything(),
      false
    );
    expect(MockPlot.last.setScale).toHaveBeenCalledWith('x', {
      min: 1,
      max: 2
    });
    fireEvent.click(screen.getByRole('button', { name: /Reset zoom/ }));
    expect(MockPlot.last.setData).toHaveBeenLastCalledWith(expect.anything());
  });

  it('shows the values under the pointer, else the last', () => {
    render(<LineChart title="loss" series={series(3, 2, 1)} />);
    const entry = screen.getByRole('button', { name: /lr-0.1/ });
    expect(entry).toHaveTextContent('lr-0.11');
    act(() => {
      MockPlot.last.cursor.idx = 0;
      MockPlot.last.options.hooks.setCursor[0]?.(MockPlot.last);
    });
    expect(entry).toHaveTextContent('lr-0.13');
  });

  it('hides a curve from the legend', () => {
    render(<LineChart title="loss" series={series(3, 2)} />);
    const entry = screen.getByRole('button', { name: /lr-0.1/ });
    fireEvent.click(entry);
    expect(entry).toHaveAttribute('aria-pressed', 'false');
    expect(MockPlot.last.setSeries).toHaveBeenCalledWith(1, { show: false });
    fireEvent.click(entry);
    expect(MockPlot.last.setSeries).toHaveBeenLastCalledWith(1, { show: true });
    expect(MockPlot.all).toHaveLength(1);
  });

  it('changes axis and scale', () => {
    const onAxisChange = jest.fn();
    render(
      <LineChart
        title="loss"
        series={series(3, -2)}
        onAxisChange={onAxisChange}
      />
    );
    fireEvent.change(screen.getByLabelText('X axis'), {
      target: { value: 'relative' }
    });
    expect(onAxisChange).toHaveBeenCalledWith('relative');
    expect(MockPlot.last.data[0]).toEqual([0, 60]);
    fireEvent.click(screen.getByRole('button', { name: 'log' }));
    expect(MockPlot.last.data[1]).toEqual([3, null]);
    expect(
      MockPlot.all.slice(0, -1).every(p => p.destroy.mock.calls.length)
    ).toBe(true);
  });

  it('is drawn anew when the theme changes', async () => {
    render(<LineChart title="loss" series={series(1, 2)} />);
    await act(async () => {
      document.body.setAttribute('data-jp-theme-light', 'false');
      await Promise.resolve();
    });
    expect(MockPlot.all).toHaveLength(2);
  });
});

describe('chartOptions', () => {
  const shape = {
    curves: [],
    axis: 'step' as const,
    logScale: false,
    theme: { text: 't', grid: 'g', font: 'f' },
    width: 1,
    height: 1
  };

  it('labels whole steps only, and durations as clocks', () => {
    const ticks = (axis: 'step' | 'relative'): unknown => {
      const [x] = chartOptions({ ...shape, axis }, jest.fn()).axes ?? [];
      return (x?.values as (self: unknown, t: number[]) => unknown)(
        null,
        [0, 0.5, 90]
      );
    };
    expect(ticks('step')).toEqual(['0', '', '90']);
    expect(ticks('relative')).toEqual(['0:00', '0:00', '1:30']);
    expect(formatX(0, 'wall', 'en')).toMatch(/70/);
  });

  it('has a range even without values', () => {
    const range = (logScale: boolean): unknown =>
      (
        chartOptions({ ...shape, logScale }, jest.fn()).scales?.['y']
          ?.range as unknown as (s: unknown, a: null, b: null) => unknown
      )(null, null, null);
    expect(range(false)).toEqual([0, 1]);
    expect(range(true)).toEqual([0.1, 1]);
  });
});
