import { undoIcon } from '@jupyterlab/ui-components';

import type { XAxis } from '../../lib/chartData';
import { IconButton } from '../IconButton';
import { useTrans } from '../trans';

interface IChartToolbarProps {
  title: string;
  axis: XAxis;
  logScale: boolean;
  /** The x value under the pointer. */
  position: string;
  onAxis: (axis: XAxis) => void;
  onLogScale: (on: boolean) => void;
  onResetZoom: () => void;
}

/** Title and controls of a chart. */
export function ChartToolbar(props: IChartToolbarProps): JSX.Element {
  const { title, axis, logScale, position } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-chart-toolbar">
      <span className="jp-mlws-chart-title" title={title}>
        {title}
      </span>
      <span className="jp-mlws-chart-position">{position}</span>
      <select
        className="jp-mlws-chart-axis"
        aria-label={trans.__('X axis')}
        value={axis}
        onChange={event => props.onAxis(event.target.value as XAxis)}
      >
        <option value="step">{trans.__('Step')}</option>
        <option value="relative">{trans.__('Relative time')}</option>
        <option value="wall">{trans.__('Wall time')}</option>
      </select>
      <button
        type="button"
        className="jp-mlws-toggle"
        aria-pressed={logScale}
        title={trans.__('Logarithmic scale')}
        onClick={() => props.onLogScale(!logScale)}
      >
        {trans.__('log')}
      </button>
      <IconButton
        icon={undoIcon}
        label={trans.__('Reset zoom (drag on the chart to zoom in)')}
        onClick={props.onResetZoom}
      />
    </div>
  );
}
