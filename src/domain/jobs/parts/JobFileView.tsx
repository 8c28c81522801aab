import { CopyButton, useTrans } from '../../../ui';
import type { IJobFile } from '../jobFile';

/** The job as a file: for the command line, and to be kept with the code. */
export function JobFileView(props: { file: IJobFile }): JSX.Element {
  const { name, text, command } = props.file;
  const trans = useTrans();
  return (
    <details className="jp-mlws-more-options">
      <summary>{trans.__('Show as YAML')}</summary>
      <div className="jp-mlws-job-file">
        <div className="jp-mlws-job-file-head">
          <span>{trans.__('Save it beside the notebook as %1:', name)}</span>
          <CopyButton withWord text={text} label={trans.__('Copy the YAML')} />
        </div>
        <pre
          aria-label={trans.__('Job file')}
          // Reachable, so that the keyboard can scroll it.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
        >
          {text}
        </pre>
        <div className="jp-mlws-job-file-head">
          <code className="jp-mlws-ellipsis" title={command}>
            {command}
          </code>
          <CopyButton text={command} label={trans.__('Copy this line')} />
        </div>
      </div>
    </details>
  );
}
