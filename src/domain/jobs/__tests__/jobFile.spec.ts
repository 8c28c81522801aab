import { jobFile } from '../jobFile';
import { buildJob, startSubmission } from '../submission';
import type { JobCreate } from '../types';
import { aField, anInspection } from './factories';
// The server's tests read the same file back: tests/specs/test_form_file.py.
import written from './jobFile.json';

const { lines } = written;
const job = written.job as unknown as JobCreate;

describe('jobFile', () => {
  it('writes each field so that YAML reads it back', () => {
    expect(jobFile(job, 'default').text).toBe(lines.join('\n'));
  });

  it('lies beside its notebook, and is submitted with what it has no fields for', () => {
    expect(jobFile(job, 'default')).toMatchObject({
      name: 'my train.job.yml',
      command: "mlws job create --file 'my train.job.yml'"
    });
    const all = {
      ...job,
      priority: -3,
      in_place: true,
      confirm_large: true
    } as JobCreate;
    expect(jobFile(all, 'vision').command).toBe(
      "mlws job create --file 'my train.job.yml' --workspace vision --priority -3 --in-place --confirm-large"
    );
  });

  it('leaves out what is as it is, and what is wrong in the form', () => {
    const inspection = anInspection({
      parameters: [aField(), aField({ name: 'who', type: 'str' })]
    });
    const start = startSubmission(inspection, 'local');
    const text = (drafts: Record<string, string>): string =>
      jobFile(buildJob({ ...start, drafts }, inspection), 'default').text;
    expect(text({})).toBe(
      'type: notebook\nexperiment_name: train\ncompute: local\nnotebook: train.ipynb\n'
    );
    expect(text({ lr: 'fast', who: 'you' })).toContain(
      'parameters:\n  who: you\n'
    );
    expect(text({ lr: 'fast' })).not.toContain('parameters');
  });
});
