import { LabIcon } from '@jupyterlab/ui-components';

import computeSvg from '../../style/icons/compute.svg';
import experimentsSvg from '../../style/icons/experiments.svg';

/** A flask: experiments, and the workspace as a whole. */
export const experimentsIcon = new LabIcon({
  name: 'jupyter-mlws:experiments',
  svgstr: experimentsSvg
});

/** A chip: where jobs run. */
export const computeIcon = new LabIcon({
  name: 'jupyter-mlws:compute',
  svgstr: computeSvg
});
