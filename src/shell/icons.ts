import { LabIcon } from '@jupyterlab/ui-components';

import experimentsSvg from '../../style/icons/experiments.svg';

/** A flask: experiments, and the workspace as a whole. */
export const experimentsIcon = new LabIcon({
  name: 'jupyter-mlws:experiments',
  svgstr: experimentsSvg
});
