export {
  ExperimentsPanel,
  type IExperimentsPanelProps
} from './ExperimentsPanel';
