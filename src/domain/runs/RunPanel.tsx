import {
  useEffect,
  useRef,
  useState,
  type ComponentType,
  type KeyboardEvent
} from 'react';

import { ApiError } from '../../api/errors';
import { EmptyState, ErrorNotice, Skeleton, useTrans } from '../../ui';
import { BinNotice } from './parts/BinNotice';
import { FailureBanner } from './parts/FailureBanner';
import { KeptKernel } from './parts/KeptKernel';
import { Progress } from './parts/Progress';
import { RunHeader, type IAnswer } from './parts/RunHeader';
import { RunTabs } from './parts/RunTabs';
import { useRun } from './queries';
import type { Run } from './types';

/** A wish to see a tab; null for the first one. */
export interface ITabWish {
  tab: string | null;
}

/** What the form "Edit and re-run" is told. */
export interface IRerunFormProps {
  run: Run;
  onClose: () => void;
}

export interface IRunPanelProps {
  id: string;
  /** The tab to show; a new object shows it once more. */
  tab: ITabWish;
  /** Tells what the panel's own tab should say. */
  onRun: (run: Run) => void;
  /** Tells which tab is shown, so that it is restored. */
  onTab: (tab: string) => void;
  /** Takes the page away. */
  onClose: () => void;
  /** The form "Edit and re-run": it is that of submitting, which stands above runs. */
  RerunForm: ComponentType<IRerunFormProps>;
}

/** The page of one run. */
export function RunPanel(props: IRunPanelProps): JSX.Element {
  const { id, onRun } = props;
  const trans = useTrans();
  const run = useRun(id);
  const { data } = run;
  useEffect(() => {
    if (data) {
      onRun(data);
    }
  }, [data, onRun]);
  if (run.error instanceof ApiError && run.error.code === 'run_not_found') {
    return (
      <EmptyState
        text={trans.__(
          'There is no run %1: it was deleted for ever, or the address is wrong.',
          id
        )}
        action={{ label: trans.__('Close this page'), onClick: props.onClose }}
      />
    );
  }
  if (run.error && !data) {
    return (
      <ErrorNotice
        title={trans.__('The run could not be loaded.')}
        error={run.error}
        onRetry={() => void run.refetch()}
      />
    );
  }
  return data ? (
    <RunPage
      {...props}
      run={data}
      answer={{
        at: run.dataUpdatedAt,
        error: run.error,
        retry: () => void run.refetch()
      }}
    />
  ) : (
    <RunSkeleton />
  );
}

function RunPage(
  props: IRunPanelProps & { run: Run; answer: IAnswer }
): JSX.Element {
  const { run, answer, onTab, RerunForm } = props;
  const trans = useTrans();
  const [tab, setTab] = useState(props.tab.tab ?? 'overview');
  const [editing, setEditing] = useState(false);
  const [cell, setCell] = useState<{ cell: number } | null>(null);
  const page = useRef<HTMLElement>(null);
  const wanted = props.tab;
  useEffect(() => {
    if (wanted.tab) {
      setTab(wanted.tab);
    }
  }, [wanted]);
  const select = (next: string): void => {
    setTab(next);
    onTab(next);
  };
  return (
    // Keys bubble up: "/" goes to the filter of the tab that is shown.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section
      ref={page}
      className="jp-mlws-run"
      aria-label={trans.__('Run %1', run.name)}
      onKeyDown={event => focusFilter(event, page.current)}
    >
      <RunHeader
        run={run}
        answer={answer}
        editing={editing}
        onEdit={setEditing}
      />
      <BinNotice run={run} />
      {editing && <RerunForm run={run} onClose={() => setEditing(false)} />}
      <Progress run={run} answeredAt={answer.at} />
      <FailureBanner
        run={run}
        onShowCell={index => {
          setCell({ cell: index });
          select('notebook');
        }}
      />
      <KeptKernel run={run} />
      <RunTabs run={run} selected={tab} onSelect={select} cell={cell} />
    </section>
  );
}

function focusFilter(event: KeyboardEvent, page: HTMLElement | null): void {
  const from = event.target as HTMLElement;
  if (
    event.key !== '/' ||
    from.closest('input, textarea, select, [contenteditable], .jp-Cell')
  ) {
    return;
  }
  const filter = page?.querySelector<HTMLInputElement>('[data-mlws-filter]');
  if (filter) {
    event.preventDefault();
    filter.focus();
    filter.select();
  }
}

/** The page's own layout, with nothing in it yet. */
function RunSkeleton(): JSX.Element {
  return (
    <div className="jp-mlws-run">
      <div className="jp-mlws-run-header">
        <Skeleton count={2} />
      </div>
      <div className="jp-mlws-cards">
        <Skeleton shape="block" height={160} />
        <Skeleton shape="block" height={160} />
        <Skeleton shape="block" height={160} />
      </div>
    </div>
  );
}
