import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { useApi } from '../../../api/context';
import {
  CheckboxField,
  Form,
  SelectField,
  TextField,
  useTrans
} from '../../../ui';
import {
  buildCreate,
  isWhole,
  nameProblem,
  placeOf,
  startDraft,
  type EnvironmentField,
  type IEnvironmentDraft
} from '../format';
import { useCreateEnvironment } from '../mutations';
import { environmentQueries } from '../queries';
import type { Definition, EnvironmentVersion } from '../types';

export interface IEnvironmentFormProps {
  workspace: string;
  /** The version that a further one begins with; null for a new environment. */
  from: EnvironmentVersion | null;
  onDone: (made: EnvironmentVersion) => void;
  onCancel: () => void;
}

/** The name of a new environment and what it is made of, or a further version of one. */
export function EnvironmentForm(props: IEnvironmentFormProps): JSX.Element {
  const { workspace, from, onDone, onCancel } = props;
  const trans = useTrans();
  const [draft, setDraft] = useState(() => startDraft(from));
  const create = useCreateEnvironment(workspace, onDone);
  const refused = placeOf(create.error);
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => {
    fields.current
      ?.querySelector<HTMLElement>('input, textarea, select')
      ?.focus();
  }, []);
  const errorOf = (field: EnvironmentField): string | undefined =>
    refused === field ? create.error?.message : undefined;
  const change = (part: Partial<IEnvironmentDraft>): void => {
    setDraft(before => ({ ...before, ...part }));
    // The server's objection was to what stood there before.
    create.reset();
  };
  const kinds: readonly { value: Definition['kind']; label: string }[] = [
    { value: 'requirements', label: trans.__('requirements.txt') },
    { value: 'conda', label: trans.__('conda file') },
    { value: 'python', label: trans.__('Python interpreter') },
    { value: 'kernel', label: trans.__('installed kernel') }
  ];
  return (
    <div ref={fields}>
      <Form
        label={
          from
            ? trans.__('New version of %1', from.name)
            : trans.__('New environment')
        }
        submitLabel={
          create.isPending ? trans.__('Saving…') : trans.__('Create')
        }
        busy={create.isPending}
        valid={isWhole(draft)}
        error={refused ? undefined : create.error}
        onCancel={onCancel}
        onSubmit={() =>
          create.mutate({ body: buildCreate(draft), build: draft.build })
        }
      >
        {from === null && (
          <TextField
            label={trans.__('Name')}
            placeholder={trans.__('sklearn')}
            error={nameProblem(draft.name, trans) ?? errorOf('name')}
            value={draft.name}
            onChange={name => change({ name })}
          />
        )}
        <SelectField
          label={trans.__('Made of')}
          value={draft.kind}
          options={kinds}
          onChange={kind => change({ kind })}
        />
        <DefinitionFields draft={draft} errorOf={errorOf} onChange={change} />
      </Form>
    </div>
  );
}

interface IFieldsProps {
  draft: IEnvironmentDraft;
  errorOf: (field: EnvironmentField) => string | undefined;
  onChange: (part: Partial<IEnvironmentDraft>) => void;
}

function DefinitionFields(props: IFieldsProps): JSX.Element {
  const { draft, errorOf, onChange } = props;
  const trans = useTrans();
  switch (draft.kind) {
    case 'requirements':
      return (
        <>
          <TextField
            label={trans.__('Packages')}
            rows={7}
            placeholder={trans.__('pandas\nscikit-learn==1.5.2')}
            help={trans.__('One a line, as in a requirements.txt.')}
            error={errorOf('requirements')}
            value={draft.requirements}
            onChange={requirements => onChange({ requirements })}
          />
          <TextField
            label={trans.__('Python')}
            placeholder={trans.__('the server’s own')}
            help={trans.__('A version (3.12), or the path of an interpreter.')}
            error={errorOf('python')}
            value={draft.python}
            onChange={python => onChange({ python })}
          />
          <BuildFields {...props} />
        </>
      );
    case 'conda':
      return (
        <>
          <TextField
            label={trans.__('Conda file')}
            rows={9}
            placeholder={trans.__(
              'channels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - pandas'
            )}
            error={errorOf('conda_file')}
            value={draft.condaFile}
            onChange={condaFile => onChange({ condaFile })}
          />
          <BuildFields {...props} />
        </>
      );
    case 'python':
      return (
        <TextField
          label={trans.__('Path of the interpreter')}
          placeholder={trans.__('/opt/venv/bin/python')}
          help={trans.__('Absolute, on the server’s machine.')}
          error={errorOf('python')}
          value={draft.interpreter}
          onChange={interpreter => onChange({ interpreter })}
        />
      );
    case 'kernel':
      return <KernelField {...props} />;
  }
}

function BuildFields(props: IFieldsProps): JSX.Element {
  const { draft, onChange } = props;
  const trans = useTrans();
  return (
    <>
      <CheckboxField
        label={trans.__('For notebooks too')}
        help={trans.__(
          'Installs ipykernel where the packages do not bring it.'
        )}
        value={draft.notebooks}
        onChange={notebooks => onChange({ notebooks })}
      />
      <CheckboxField
        label={trans.__('Build at once')}
        help={trans.__('Else it is built when the first job needs it.')}
        value={draft.build}
        onChange={build => onChange({ build })}
      />
    </>
  );
}

function KernelField(props: IFieldsProps): JSX.Element {
  const { draft, errorOf, onChange } = props;
  const trans = useTrans();
  const { data: kernels = [] } = useQuery(environmentQueries.kernels(useApi()));
  const options = kernels.map(({ name, display_name: label }) => ({
    value: name,
    label
  }));
  if (!kernels.some(({ name }) => name === draft.kernel)) {
    const label = draft.kernel
      ? trans.__('%1 · not installed', draft.kernel)
      : trans.__('Choose a kernel');
    options.unshift({ value: draft.kernel, label });
  }
  return (
    <SelectField
      label={trans.__('Kernel')}
      help={trans.__('Of whatever language; for notebooks.')}
      value={draft.kernel}
      options={options}
      error={errorOf('kernel')}
      onChange={kernel => onChange({ kernel })}
    />
  );
}
