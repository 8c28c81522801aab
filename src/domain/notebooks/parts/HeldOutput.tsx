import { useState, useSyncExternalStore } from 'react';

import { formatBytes } from '../../../lib/format';
import { ErrorNotice, useTrans } from '../../../ui';
import { outputOf, textOf } from '../deltas';
import { IMAGE_TYPES, textOfStream, type IHeldOutput } from '../held';
import type { NotebookDocument } from '../NotebookDocument';
import type { NotebookSource } from '../NotebookSource';
import type { PreferredType } from '../view';
import { HeldFrame } from './HeldFrame';
import { HeldImage } from './HeldImage';
import { Excerpt, HeldText } from './HeldText';

/** The next outputs of a cell are shown in portions of about this many characters. */
const PORTION = 200_000;
const HOLD_OVER = 64_000;

/** What Python says of an object that has nothing to say: "<IPython.core.display.HTML object>". */
const NO_WORDS = /^<[\w.]+ object(?: at \w+)?>$/;

export interface IHeldOutputProps {
  /** The key in the stand-in. */
  id: string;
  document: NotebookDocument;
  source: NotebookSource;
  preferred: PreferredType;
}

/** What is open in the place of a held output. */
type Shown =
  { kind: 'text'; text: string; cut: boolean } | { kind: 'html'; html: string };

/** Stands where an output is held back: tells what there is, and shows it when asked. */
export function HeldOutput(props: IHeldOutputProps): JSX.Element | null {
  const { id, document, source, preferred } = props;
  const held = useSyncExternalStore(document.subscribe, () =>
    document.held(id)
  );
  if (!held) {
    return null;
  }
  const type = preferred(held.types) ?? '';
  return IMAGE_TYPES.has(type) ? (
    <HeldImage held={held} address={source.image(held.first)} />
  ) : (
    <Collapsed {...props} held={held} type={type} />
  );
}

function Collapsed(
  props: IHeldOutputProps & { held: IHeldOutput; type: string }
): JSX.Element {
  const { held, type } = props;
  const trans = useTrans();
  const { shown, busy, error, show, hide } = useShown(props);
  const size = formatBytes(held.bytes);
  return (
    <div className="jp-mlws-held">
      {!shown && !NO_WORDS.test(held.head) && <Excerpt text={held.head} />}
      <div className="jp-mlws-held-bar">
        <button
          type="button"
          className="jp-mlws-button"
          aria-expanded={shown !== null}
          aria-busy={busy}
          disabled={busy}
          onClick={shown ? hide : show}
        >
          {shown
            ? trans.__('Hide')
            : held.rest && held.stream === null
              ? trans.__('Show more (%1)', size)
              : trans.__('Show (%1)', size)}
        </button>
        <span className="jp-mlws-muted jp-mlws-ellipsis">
          {describe(held, type, trans)}
          {shown?.kind === 'text' &&
            shown.cut &&
            ` · ${trans.__('the beginning; “Open a copy” has all of it')}`}
        </span>
      </div>
      {error !== null && (
        <ErrorNotice
          title={trans.__('The output could not be loaded.')}
          error={error}
          onRetry={show}
        />
      )}
      {!shown && <Excerpt text={held.tail} />}
      {shown?.kind === 'text' && <HeldText text={shown.text} />}
      {shown?.kind === 'html' && <HeldFrame html={shown.html} />}
    </div>
  );
}

/** What is shown, and how to show it: text and HTML here, anything else by the Lab. */
function useShown(
  props: IHeldOutputProps & { held: IHeldOutput; type: string }
): {
  shown: Shown | null;
  busy: boolean;
  error: unknown;
  show: () => void;
  hide: () => void;
} {
  const [shown, setShown] = useState<Shown | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const show = (): void => {
    setBusy(true);
    setError(null);
    open(props)
      .then(setShown, setError)
      .finally(() => setBusy(false));
  };
  return { shown, busy, error, show, hide: () => setShown(null) };
}

async function open(
  props: IHeldOutputProps & { held: IHeldOutput; type: string }
): Promise<Shown | null> {
  const { held, type, source, document } = props;
  if (held.stream !== null) {
    const { deltas, next } = await source.between(held.first, held.last);
    const text = textOfStream(deltas, held);
    return { kind: 'text', text, cut: next <= held.last };
  }
  if (held.rest) {
    const { first, last } = held;
    const more = await source.between(first, last, PORTION, HOLD_OVER);
    document.showMore(held.key, more.deltas, more.next);
    return null;
  }
  const delta = await source.at(held.first);
  const output = delta && outputOf(delta);
  const data = output?.['data'] as Record<string, unknown> | undefined;
  if (type === 'text/html') {
    return { kind: 'html', html: textOf(data?.[type]) };
  }
  if (type === 'text/plain' || type === '') {
    return { kind: 'text', text: textOf(data?.['text/plain']), cut: false };
  }
  if (output) {
    document.reveal(held.key, output);
  }
  return null;
}

/** In a few words, what is held. */
function describe(
  held: IHeldOutput,
  type: string,
  trans: ReturnType<typeof useTrans>
): string {
  if (held.stream !== null || type === 'text/plain') {
    const count = held.lines.toLocaleString();
    return trans._n('%2 line', '%2 lines', held.lines, count);
  }
  if (held.rest) {
    return trans.__('what the cell shows after this');
  }
  return type === 'text/html' ? 'HTML' : type;
}
