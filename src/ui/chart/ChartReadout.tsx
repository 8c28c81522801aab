import { undoIcon } from '@jupyterlab/ui-components';

import { formatNumber, formatNumberFull } from '../../lib/format';
import { IconButton } from '../IconButton';
import { useTrans } from '../trans';

/** One line below a chart without a legend: x and value under the pointer, and the way out of a zoom. */
export function ChartReadout(props: {
  position: string;
  value: number | null;
  onResetZoom: () => void;
}): JSX.Element {
  const { position, value } = props;
  const trans = useTrans();
  return (
    <div className="jp-mlws-chart-readout">
      <span className="jp-mlws-chart-position">{position}</span>
      <span className="jp-mlws-number" title={formatNumberFull(value)}>
        {position && formatNumber(value)}
      </span>
      <IconButton
        icon={undoIcon}
        label={trans.__('Reset zoom (drag on the chart to zoom in)')}
        onClick={props.onResetZoom}
      />
    </div>
  );
}
