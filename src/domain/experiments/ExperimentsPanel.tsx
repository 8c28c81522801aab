import { EmptyState, useTrans } from '../../ui';
import { PanelHeader } from './PanelHeader';

export interface IExperimentsPanelProps {
  /** Opens a new notebook. */
  onNewNotebook: () => void;
}

/** The sidebar "ML Experiments". */
export function ExperimentsPanel(props: IExperimentsPanelProps): JSX.Element {
  const trans = useTrans();
  return (
    <section
      className="jp-mlws-sidebar"
      aria-label={trans.__('ML Experiments')}
    >
      <PanelHeader />
      <EmptyState
        text={trans.__(
          'Runs appear here as soon as a notebook logs to the workspace.'
        )}
        action={{
          label: trans.__('New notebook'),
          onClick: props.onNewNotebook
        }}
        code="import mlflow; mlflow.autolog()"
      />
    </section>
  );
}
