import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { useApi } from '../../../api/context';
import { runAddress } from '../../../lib/address';
import {
  ErrorNotice,
  Form,
  Skeleton,
  TextField,
  useOpenPage,
  useTrans
} from '../../../ui';
import { useRerunJob } from '../mutations';
import { fromText, toText, type IParameterDraft } from '../parameters';
import { runQueries } from '../queries';
import type { Job, ParameterField, Run } from '../types';

/** "Edit and re-run": the same code with other parameters. It stands in the page, not over it. */
export function RerunForm(props: {
  run: Run;
  onClose: () => void;
}): JSX.Element {
  const { run, onClose } = props;
  const api = useApi();
  const trans = useTrans();
  const job = useQuery(runQueries.job(api, run.id));
  const inspection = useQuery({
    ...runQueries.inspection(api, run.workspace, run.source),
    enabled: run.kind === 'notebook'
  });
  if (job.error) {
    return (
      <ErrorNotice
        title={trans.__('The job could not be read.')}
        error={job.error}
        onRetry={() => void job.refetch()}
      />
    );
  }
  // Types and comments help, but the notebook may be gone: the form does without them.
  if (!job.data || inspection.isLoading) {
    return <Skeleton count={3} />;
  }
  return (
    <Fields
      run={run}
      job={job.data}
      known={inspection.data?.parameters ?? []}
      onClose={onClose}
    />
  );
}

/** What each parameter was in the job, with what the notebook says about it. */
function draftsOf(
  job: Job,
  known: readonly ParameterField[]
): IParameterDraft[] {
  const given: Record<string, unknown> =
    'notebook' in job.spec ? (job.spec.parameters ?? {}) : {};
  const logged = 'notebook' in job.spec ? job.run.params : {};
  const fields = new Map(known.map(field => [field.name, field]));
  const names = new Set([
    ...fields.keys(),
    ...Object.keys(given),
    ...(fields.size === 0 ? Object.keys(logged) : [])
  ]);
  return [...names].map(name => {
    const field = fields.get(name);
    const text =
      name in given
        ? toText(given[name])
        : field
          ? field.required_literal
            ? toText(field.default)
            : ''
          : (logged[name] ?? '');
    return {
      name,
      type: field?.type ?? 'unknown',
      text,
      help: [field?.type, field?.help].filter(Boolean).join(' · ')
    };
  });
}

interface IRow extends IParameterDraft {
  value: unknown;
  /** Left as it was, also where its default is an expression. */
  untouched: boolean;
  wrong: boolean;
}

function readRow(draft: IParameterDraft, typed: string | undefined): IRow {
  const text = typed ?? draft.text;
  const value = fromText(text, draft.type);
  const untouched = text === draft.text;
  const wrong = !untouched && value === undefined;
  return { ...draft, text, value, untouched, wrong };
}

function Fields(props: {
  run: Run;
  job: Job;
  known: readonly ParameterField[];
  onClose: () => void;
}): JSX.Element {
  const { run, job, known, onClose } = props;
  const trans = useTrans();
  const open = useOpenPage();
  const rerun = useRerunJob(run.id);
  const before = useMemo(() => draftsOf(job, known), [job, known]);
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [name, setName] = useState('');
  const rows = before.map(draft => readRow(draft, texts[draft.name]));
  const submit = (): void => {
    const changed = rows.filter(({ untouched }) => !untouched);
    rerun.mutate(
      {
        ...(name.trim() ? { name: name.trim() } : {}),
        ...(changed.length > 0
          ? {
              parameters: Object.fromEntries(
                changed.map(row => [row.name, row.value])
              ) as Record<string, never>
            }
          : {})
      },
      {
        onSuccess: next => {
          onClose();
          open?.(runAddress(next.run.id));
        }
      }
    );
  };
  return (
    <div className="jp-mlws-rerun">
      <Form
        label={trans.__('Edit and re-run')}
        submitLabel={trans.__('Run')}
        onSubmit={submit}
        onCancel={onClose}
        busy={rerun.isPending}
        valid={rows.every(({ wrong }) => !wrong)}
        error={rerun.error}
      >
        {rows.map(row => (
          <TextField
            key={row.name}
            label={row.name}
            help={row.help || undefined}
            error={
              row.wrong
                ? trans.__('This is no value of type %1.', row.type)
                : undefined
            }
            value={row.text}
            onChange={text => setTexts({ ...texts, [row.name]: text })}
          />
        ))}
        <TextField
          label={trans.__('Run name')}
          placeholder={trans.__('made by itself')}
          value={name}
          onChange={setName}
        />
      </Form>
    </div>
  );
}
