import { RelativeTime, useTrans } from '../../../ui';
import { metersOf } from '../format';
import type { ComputeTarget } from '../types';
import { Meter } from './Meter';

/** How full a target is, as bars. */
export function Meters(props: { target: ComputeTarget }): JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-mlws-meters">
      {metersOf(props.target, trans).map(meter => (
        <Meter key={meter.id} meter={meter} />
      ))}
    </div>
  );
}

/** How many kernels a target keeps ready, if it does, and when those of them end that nobody asked to have always. */
export function ReadyKernels(props: {
  target: ComputeTarget;
}): JSX.Element | null {
  const { spares, spares_end_at: endAt, min_instances: least } = props.target;
  const trans = useTrans();
  return spares > 0 ? (
    <p className="jp-mlws-muted jp-mlws-target-none">
      {trans._n(
        '%1 kernel is ready for the next notebook',
        '%1 kernels are ready for the next notebooks',
        spares
      )}
      {endAt !== null && (
        <>
          {' · '}
          <RelativeTime
            at={endAt}
            words={time => {
              const when = endAt > Date.now() ? time : trans.__('now');
              return least === 0
                ? trans._n('idle, ends %2', 'idle, end %2', spares, when)
                : trans._n(
                    'idle, %1 of them ends %2',
                    'idle, %1 of them end %2',
                    spares - least,
                    when
                  );
            }}
          />
        </>
      )}
    </p>
  ) : null;
}
