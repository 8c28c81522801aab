import { useEffect, useRef, type RefObject } from 'react';

import { useTrans } from '../../../ui';
import { isChanged, type Drafts } from '../drafts';
import type { Problems } from '../submission';
import type { ISubject } from '../types';
import { NoParameters } from './NoParameters';
import { ParameterRow } from './ParameterRow';

export interface IParameterListProps {
  subject: ISubject;
  drafts: Drafts;
  problems: Problems;
  disabled: boolean;
  onChange: (drafts: Drafts) => void;
  /** Tags the selected cell of the open notebook; null where that cannot be done. */
  onTagCell: (() => Promise<void>) | null;
}

/** The parameters as a typed form, or how to have some. */
export function ParameterList(props: IParameterListProps): JSX.Element {
  const { subject, drafts, problems, disabled, onChange } = props;
  const trans = useTrans();
  const { parameters } = subject;
  const list = useFocusWhenFilled(parameters.length);
  const changed = parameters.filter(field => isChanged(field, drafts)).length;
  return (
    <fieldset ref={list} className="jp-mlws-parameters">
      <legend>
        {trans.__('Parameters')}
        <span className="jp-mlws-parameters-count">
          {changed > 0 && trans._n('%1 changed', '%1 changed', changed)}
        </span>
        {changed > 0 && (
          <button
            type="button"
            className="jp-mlws-text-button"
            disabled={disabled}
            onClick={() => onChange({})}
          >
            {trans.__('Reset all')}
          </button>
        )}
      </legend>
      {parameters.length === 0 &&
        (subject.job ? (
          <div className="jp-mlws-no-parameters">
            {trans.__('The notebook, as it was then, takes none.')}
          </div>
        ) : (
          <NoParameters
            tagged={subject.has_parameters_cell}
            onTagCell={props.onTagCell}
          />
        ))}
      {parameters.map(field => (
        <ParameterRow
          key={field.name}
          field={field}
          drafts={drafts}
          problem={problems[`parameters.${field.name}`]}
          disabled={disabled}
          onChange={text => onChange(withDraft(drafts, field.name, text))}
        />
      ))}
    </fieldset>
  );
}

/** The button that brought the parameters is gone then, and the focus would be with it. */
function useFocusWhenFilled(count: number): RefObject<HTMLFieldSetElement> {
  const list = useRef<HTMLFieldSetElement>(null);
  const before = useRef(count);
  useEffect(() => {
    if (before.current === 0 && count > 0) {
      list.current?.querySelector('input')?.focus();
    }
    before.current = count;
  }, [count]);
  return list;
}

function withDraft(
  drafts: Drafts,
  name: string,
  text: string | undefined
): Drafts {
  const others = Object.entries(drafts).filter(([key]) => key !== name);
  return Object.fromEntries(
    text === undefined ? others : [...others, [name, text]]
  );
}
