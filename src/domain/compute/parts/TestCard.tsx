import { ErrorNotice, RelativeTime, useTrans } from '../../../ui';
import { batchOf } from '../batch';
import { stepLabel } from '../format';
import { useTestTarget } from '../mutations';
import type { ComputeTarget, TargetCheck } from '../types';

/** Tries what a target needs, and shows each step of the last test with what to do. */
export function TestCard(props: { target: ComputeTarget }): JSX.Element {
  const { name, checked, gateway } = props.target;
  const trans = useTrans();
  const test = useTestTarget(name);
  const title = trans.__('Test');
  return (
    <section
      className="jp-mlws-card"
      aria-label={title}
      aria-busy={test.isPending}
    >
      <header className="jp-mlws-card-head">
        <h3>{title}</h3>
        <button
          type="button"
          className={`jp-mlws-button jp-mlws-button-small${checked ? '' : ' jp-mlws-button-primary'}`}
          disabled={test.isPending}
          onClick={() => test.mutate()}
        >
          {test.isPending
            ? trans.__('Testing…')
            : checked
              ? trans.__('Test again')
              : trans.__('Test')}
        </button>
      </header>
      {test.error && <ErrorNotice error={test.error} />}
      <div aria-live="polite">
        {checked ? (
          <Steps check={checked} />
        ) : (
          <p className="jp-mlws-muted jp-mlws-target-none">
            {batchOf(props.target)
              ? trans.__(
                  'Not tested since it was made or changed. A test tries what jobs need, the last of it by a small job, for up to half a minute.'
                )
              : gateway
                ? trans.__(
                    'Not tested since it was made or moved. A test starts a kernel there and hears it, which takes some seconds.'
                  )
                : trans.__(
                    'Not tested since it was made or moved. A test logs in and tries what jobs need, which takes some seconds.'
                  )}
          </p>
        )}
      </div>
    </section>
  );
}

function Steps(props: { check: TargetCheck }): JSX.Element {
  const { at, usable, steps } = props.check;
  const trans = useTrans();
  return (
    <>
      <p
        className={
          usable
            ? 'jp-mlws-muted jp-mlws-target-none'
            : 'jp-mlws-target-note jp-mlws-target-bad'
        }
      >
        {usable ? trans.__('Jobs can run.') : trans.__('Jobs cannot run yet.')}{' '}
        {/* It changes each minute, which is no news. */}
        <span aria-live="off">
          <RelativeTime at={at} words={time => trans.__('Tested %1.', time)} />
        </span>
      </p>
      <ol className="jp-mlws-plain-list jp-mlws-steps">
        {steps.map(step => (
          <li key={step.name} data-state={step.state}>
            <span className="jp-mlws-step-state">
              {stepLabel(step.state, trans)}
            </span>
            <span>
              <strong>{step.name}</strong>
              {step.detail && <span>{`: ${step.detail}`}</span>}
              {step.todo && (
                <span className="jp-mlws-step-todo">{step.todo}</span>
              )}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
