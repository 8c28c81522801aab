import { addIcon } from '@jupyterlab/ui-components';
import {
  useDeferredValue,
  useEffect,
  useRef,
  useState,
  type KeyboardEvent
} from 'react';

import { useTrans } from '../../ui';
import { WorkspaceSwitcher } from '../workspaces';
import { FilterBox } from './FilterBox';
import { useSidebarHost } from './host';
import { PanelBody } from './PanelBody';
import { PanelHeader } from './PanelHeader';
import { UntrackedNotice } from './parts/UntrackedNotice';
import { useSidebarState } from './useTree';

/** The sidebar "ML Experiments". */
export function ExperimentsPanel(): JSX.Element {
  const trans = useTrans();
  const { model, runNotebook, untracked } = useSidebarHost();
  const { view, reveal } = useSidebarState();
  const [filter, setFilter] = useState('');
  // What is to be shown must not be filtered out.
  useEffect(() => setFilter(''), [reveal]);
  const q = useDeferredValue(filter.trim());
  const panel = useRef<HTMLElement>(null);
  const box = useRef<HTMLInputElement>(null);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === '/' && !isTyping(event.target)) {
      event.preventDefault();
      box.current?.focus();
      box.current?.select();
    }
  };
  return (
    // Keys bubble up: "/" leads to the filter from anywhere in the panel.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section
      ref={panel}
      className="jp-mlws-sidebar"
      aria-label={trans.__('ML Experiments')}
      onKeyDown={onKeyDown}
    >
      <PanelHeader />
      <div className="jp-mlws-sidebar-controls">
        <WorkspaceSwitcher />
        <FilterBox
          ref={box}
          value={filter}
          onChange={setFilter}
          onDown={() =>
            panel.current
              ?.querySelector<HTMLElement>('[role=treeitem][tabindex="0"]')
              ?.focus()
          }
        />
      </div>
      {view !== 'active' && (
        <div className="jp-mlws-sidebar-view">
          <span>
            {view === 'bin'
              ? trans.__('Bin')
              : trans.__('Archived experiments')}
          </span>
          <button
            type="button"
            className="jp-mlws-text-button"
            onClick={() => model.show('active')}
          >
            {trans.__('Back')}
          </button>
        </div>
      )}
      <div className="jp-mlws-sidebar-body">
        <PanelBody q={q} onClearFilter={() => setFilter('')} />
      </div>
      <UntrackedNotice reason={untracked} />
      <footer className="jp-mlws-sidebar-footer">
        <button
          type="button"
          className="jp-mlws-button jp-mlws-button-icon"
          onClick={runNotebook}
        >
          <addIcon.react tag="span" aria-hidden="true" />
          {trans.__('Run a notebook')}
        </button>
      </footer>
    </section>
  );
}

function isTyping(target: EventTarget): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, textarea, select') !== null
  );
}
