import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { memo, useCallback, useSyncExternalStore } from 'react';
import { createPortal } from 'react-dom';

import type { IHeldOutputView, PreferredType } from '../domain/notebooks';

/** A place in a notebook where React draws. */
interface IPlace {
  id: number;
  key: string;
  node: HTMLElement;
}

/** The places of held outputs in one notebook: the Lab makes and removes them, React draws into them. */
export class HeldPlaces {
  /** Replaced, never changed. */
  get all(): readonly IPlace[] {
    return this._all;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  set(widget: Widget, key: string): void {
    const id = this._places.get(widget)?.id ?? (this._ids += 1);
    this._places.set(widget, { id, key, node: widget.node });
    this._changed();
  }

  delete(widget: Widget): void {
    if (this._places.delete(widget)) {
      this._changed();
    }
  }

  /** One pass for all that a task of the Lab makes, and before anything of it is painted. */
  private _changed(): void {
    if (!this._waiting) {
      this._waiting = true;
      queueMicrotask(() => {
        this._waiting = false;
        this._all = [...this._places.values()];
        this._listeners.forEach(listener => listener());
      });
    }
  }

  private _all: readonly IPlace[] = [];
  private _ids = 0;
  private readonly _listeners = new Set<() => void>();
  private readonly _places = new Map<Widget, IPlace>();
  private _waiting = false;
}

/** What the Lab puts where an output is held: an empty place. */
class HeldRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly places: HeldPlaces,
    private readonly keyOf: IHeldOutputView['keyOf']
  ) {
    super();
    this.addClass('jp-mlws-held-place');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const key = this.keyOf(model.data);
    if (key !== null) {
      this.places.set(this, key);
    }
    return Promise.resolve();
  }

  override dispose(): void {
    this.places.delete(this);
    super.dispose();
  }
}

/** Teaches a registry what to do with held outputs. */
export function addHeldOutputs(
  rendermime: IRenderMimeRegistry,
  held: IHeldOutputView,
  places: HeldPlaces
): void {
  rendermime.addFactory(
    {
      // It shows nothing of the output itself.
      safe: true,
      mimeTypes: [held.type],
      createRenderer: () => new HeldRenderer(places, held.keyOf)
    },
    0
  );
}

/** Draws all held outputs into their places. */
export function HeldOutputs(props: {
  places: HeldPlaces;
  held: IHeldOutputView;
  rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { places, held, rendermime } = props;
  const all = useSyncExternalStore(places.subscribe, () => places.all);
  const preferred = useCallback<PreferredType>(
    types =>
      rendermime.preferredMimeType(
        Object.fromEntries(types.map(type => [type, ''])),
        'ensure'
      ),
    [rendermime]
  );
  return (
    <>
      {all.map(place => (
        <Place key={place.id} {...{ place, held, preferred }} />
      ))}
    </>
  );
}

/** A new place leaves those that are there alone. */
const Place = memo(function Place(props: {
  place: IPlace;
  held: IHeldOutputView;
  preferred: PreferredType;
}): JSX.Element {
  const { place, held, preferred } = props;
  return createPortal(held.render(place.key, preferred), place.node);
});
