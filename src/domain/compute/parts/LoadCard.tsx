import { useTrans } from '../../../ui';
import { metersOf } from '../format';
import type { ComputeTarget } from '../types';
import { Meter } from './Meter';

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
        <div className="jp-mlws-meters">
          {metersOf(target, trans).map(meter => (
            <Meter key={meter.id} meter={meter} />
          ))}
        </div>
      )}
      {target.spares > 0 && (
        <p className="jp-mlws-muted jp-mlws-target-none">
          {trans._n(
            '%1 kernel is ready for the next notebook',
            '%1 kernels are ready for the next notebooks',
            target.spares
          )}
        </p>
      )}
    </section>
  );
}
