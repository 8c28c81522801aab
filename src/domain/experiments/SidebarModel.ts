import { Observable } from '../../lib/observable';

/** What the sidebar lists. */
export type SidebarView = 'active' | 'archived' | 'bin';

/** What is unfolded, selected and looked for. The commands change it too. */
export interface ISidebarState {
  view: SidebarView;
  /** Ids of the unfolded experiments. */
  expanded: readonly string[];
  /** How many runs an experiment shows, where it is not the usual number. */
  shown: Readonly<Record<string, number>>;
  /** Key of the row that has the focus, or would have it. */
  selected: string | null;
  /** Key of the row whose name is edited. */
  editing: string | null;
  /** A new one whenever the selected row should come into sight. */
  reveal: IReveal | null;
  /** Workspaces whose newest experiment was unfolded by itself; null until what was remembered is here. */
  seen: readonly string[] | null;
}

/** A wish to see the selected row. */
export interface IReveal {
  /** Whether it also gets the keyboard's focus. */
  focus: boolean;
}

/** What outlives a reload. */
export interface ISidebarMemory {
  view: SidebarView;
  expanded: readonly string[];
  seen: readonly string[];
}

/** Keys of rows. */
export const rowKey = {
  experiment: (id: string): string => `experiment:${id}`,
  run: (id: string): string => `run:${id}`
};

const START: ISidebarState = {
  view: 'active',
  expanded: [],
  shown: {},
  selected: null,
  editing: null,
  reveal: null,
  seen: null
};

/** No more is remembered: each unfolded experiment is a request. */
const REMEMBERED = 50;

/** The state of the sidebar. */
export class SidebarModel {
  readonly state = new Observable<ISidebarState>(START);

  /** Unfolds or folds an experiment. */
  toggle(id: string, open?: boolean): void {
    const { expanded } = this.state.get();
    const isOpen = expanded.includes(id);
    if (isOpen !== (open ?? !isOpen)) {
      this._change({
        expanded: isOpen
          ? expanded.filter(one => one !== id)
          : [...expanded, id]
      });
    }
  }

  /** Folds all of them. */
  collapseAll(): void {
    this._change({ expanded: [], shown: {} });
  }

  /** Shows more runs of an experiment. */
  showRuns(id: string, count: number): void {
    const { shown } = this.state.get();
    this._change({ shown: { ...shown, [id]: count } });
  }

  /** Moves the selection. */
  select(key: string | null): void {
    if (this.state.get().selected !== key) {
      this._change({ selected: key });
    }
  }

  /** Begins or ends the editing of a name in its row. */
  edit(key: string | null): void {
    this._change(key ? { editing: key, selected: key } : { editing: null });
  }

  /** Lists the experiments, the archived ones, or the bin. */
  show(view: SidebarView): void {
    this._change({ view, selected: null, editing: null });
  }

  /**
   * Unfolds the newest experiment of a workspace the first time that it is looked at; never again, also
   * when it was folded since.
   */
  firstLook(workspace: string, newest: string): void {
    const { seen } = this.state.get();
    if (seen && !seen.includes(workspace)) {
      this._change({ seen: [...seen, workspace].slice(-REMEMBERED) });
      this.toggle(newest, true);
    }
  }

  /** Selects a run and brings it into sight, below its unfolded experiment. */
  reveal(experimentId: string, runId: string): void {
    this._reveal(experimentId, 'active', rowKey.run(runId), false);
  }

  /** Unfolds an experiment, brings it into sight and gives it the focus. */
  revealExperiment(experiment: { id: string; archived: boolean }): void {
    const { id, archived } = experiment;
    const view = archived ? 'archived' : 'active';
    this._reveal(id, view, rowKey.experiment(id), true);
  }

  /** What is to be remembered. */
  remember(): ISidebarMemory {
    const { view, expanded, seen } = this.state.get();
    return { view, expanded: expanded.slice(-REMEMBERED), seen: seen ?? [] };
  }

  /** Takes up what was remembered, if anything was; anything odd in it is left out. */
  recall(memory: unknown): void {
    const { view, expanded, seen } = (memory ?? {}) as Partial<ISidebarMemory>;
    this._change({
      view: view === 'archived' || view === 'bin' ? view : 'active',
      expanded: texts(expanded),
      seen: texts(seen)
    });
  }

  private _reveal(
    experimentId: string,
    view: SidebarView,
    key: string,
    focus: boolean
  ): void {
    this._change({ view });
    this.toggle(experimentId, true);
    this._change({ selected: key, reveal: { focus } });
  }

  private _change(part: Partial<ISidebarState>): void {
    this.state.set({ ...this.state.get(), ...part });
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((one): one is string => typeof one === 'string')
    : [];
}
