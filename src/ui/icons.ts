import { LabIcon } from '@jupyterlab/ui-components';

import pauseSvg from '../../style/icons/pause.svg';

/** Two bars: puts something on hold. */
export const pauseIcon = new LabIcon({
  name: 'jupyter-mlws:pause',
  svgstr: pauseSvg
});
