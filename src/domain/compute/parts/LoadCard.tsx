import { useTrans } from '../../../ui';
import type { ComputeTarget } from '../types';
import { Meters, ReadyKernels } from './Meters';

/** How full a target is now, and what is kept ready. */
export function LoadCard(props: { target: ComputeTarget }): JSX.Element {
  const { target } = props;
  const trans = useTrans();
  const title = trans.__('Load');
  return (
    <section className="jp-mlws-card" aria-label={title}>
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
      </header>
      {target.state === 'unavailable' ? (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {trans.__('It cannot be told while the target is unavailable.')}
        </p>
      ) : (
        <Meters target={target} />
      )}
      <ReadyKernels target={target} />
    </section>
  );
}
