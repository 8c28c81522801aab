/** What runs, and a word about it. */
export function Source(props: {
  name: string;
  note: string;
  problem: string | undefined;
}): JSX.Element {
  const { name, note, problem } = props;
  return (
    <div className="jp-mlws-submit-source">
      {name && (
        <code className="jp-mlws-ellipsis" title={name}>
          {name}
        </code>
      )}
      <span>{note}</span>
      {problem && (
        <span className="jp-mlws-field-error" role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}
