import { useMutation } from '@tanstack/react-query';

import { errorSentence, useTrans } from '../../../ui';

/** How a notebook gets parameters, in one line, with a button that does it. */
export function NoParameters(props: {
  /** There is a tagged cell, but nothing in it is a parameter. */
  tagged: boolean;
  onTagCell: (() => Promise<void>) | null;
}): JSX.Element {
  const { tagged, onTagCell } = props;
  const trans = useTrans();
  const tag = useMutation({ mutationFn: async () => onTagCell?.() });
  return (
    <div className="jp-mlws-no-parameters">
      <span>
        {tagged
          ? trans.__(
              'The cell with the tag “parameters” assigns nothing: write lines such as lr = 0.01  # learning rate.'
            )
          : trans.__(
              'None yet. Give the cell with your settings the tag “parameters” (Property inspector, “Cell tags”), and each name = value in it becomes a field here.'
            )}
      </span>
      {!tagged && onTagCell && (
        <button
          type="button"
          className="jp-mlws-button"
          disabled={tag.isPending}
          onClick={() => tag.mutate()}
        >
          {trans.__('Tag the selected cell')}
        </button>
      )}
      {tag.error && (
        <span className="jp-mlws-field-error" role="alert">
          {errorSentence(tag.error, trans)}
        </span>
      )}
    </div>
  );
}
