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
import { problemText } from '../parameters';
import { runQueries } from '../queries';
import { changedParameters, readRow, rerunDrafts } from '../rerun';
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
  const declared = useQuery({
    ...runQueries.parameters(api, run.id),
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
  if (!job.data || declared.isLoading) {
    return <Skeleton count={3} />;
  }
  return (
    <Fields
      run={run}
      job={job.data}
      // Types and comments help, but the form does without them.
      declared={declared.data ?? null}
      onClose={onClose}
    />
  );
}

function Fields(props: {
  run: Run;
  job: Job;
  declared: readonly ParameterField[] | null;
  onClose: () => void;
}): JSX.Element {
  const { run, job, declared, onClose } = props;
  const trans = useTrans();
  const open = useOpenPage();
  const rerun = useRerunJob(run.id, next => {
    onClose();
    open?.(runAddress(next.run.id));
  });
  const before = useMemo(() => rerunDrafts(job, declared), [job, declared]);
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [name, setName] = useState('');
  const rows = before.map(draft => readRow(draft, texts[draft.name]));
  const submit = (): void => {
    const parameters = changedParameters(rows);
    rerun.mutate({
      ...(name.trim() ? { name: name.trim() } : {}),
      // The wire's type for "any JSON" allows no value at all.
      ...(parameters && { parameters: parameters as Record<string, never> })
    });
  };
  return (
    <div className="jp-mlws-rerun">
      <Form
        label={trans.__('Edit and re-run')}
        submitLabel={trans.__('Run')}
        onSubmit={submit}
        // Its outcome is told here.
        onCancel={() => !rerun.isPending && onClose()}
        busy={rerun.isPending}
        valid={rows.every(({ wrong }) => !wrong)}
        error={rerun.error}
      >
        {rows.map(row => (
          <TextField
            key={row.name}
            label={row.name}
            help={row.help || undefined}
            placeholder={row.placeholder}
            error={
              row.wrong ? problemText(row.reading, row.kind, trans) : undefined
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
