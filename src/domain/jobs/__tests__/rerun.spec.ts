import { aJob, aField } from './factories';
import { currentText, placeholder, startText } from '../drafts';
import { buildRerun, rerunSubject, startRerun } from '../rerun';
import { findProblems, placeOf } from '../submission';
import { ApiError } from '../../../api/errors';
import { nullTranslator } from '@jupyterlab/translation';

const trans = nullTranslator.load('jupyter_mlws');
const anything = (value: unknown): never => value as never;
const EPOCHS = aField({
  name: 'epochs',
  type: 'int',
  default: anything(5),
  default_source: '5'
});

describe('rerunSubject', () => {
  it('begins with what was given, else with the default of the snapshot', () => {
    const { parameters } = rerunSubject(
      aJob({ parameters: { lr: 0.3 } }),
      [
        aField(),
        EPOCHS,
        aField({
          name: 'path',
          type: 'unknown',
          default: anything(null),
          default_source: 'home()',
          required_literal: false
        })
      ],
      undefined
    );
    expect(parameters.map(field => [field.name, startText(field)])).toEqual([
      ['lr', '0.3'],
      ['epochs', '5'],
      ['path', '']
    ]);
    expect(parameters.map(placeholder)).toEqual(['', '', 'home()']);
  });

  it('writes a value that is the default as the notebook does', () => {
    const { parameters } = rerunSubject(
      aJob({ parameters: { lr: 0.001 } }),
      [aField()],
      undefined
    );
    expect(parameters[0]?.had).toBeUndefined();
    expect(currentText(parameters[0] ?? EPOCHS, {})).toBe('1e-3');
  });

  it('has fields for what was given and is not declared', () => {
    const job = aJob({ parameters: { extra: [1], lr: null } });
    const { parameters } = rerunSubject(job, [aField()], undefined);
    expect(parameters.map(field => [field.name, startText(field)])).toEqual([
      ['lr', 'None'],
      ['extra', '[1]']
    ]);
    const form = { ...startRerun(job), drafts: { extra: 'any', lr: '2' } };
    expect(
      findProblems(form, rerunSubject(job, null, undefined), trans)
    ).toEqual({});
    expect(buildRerun(form, job, parameters)).toEqual({
      parameters: { extra: 'any', lr: 2 }
    });
  });

  it('takes the run’s own record where the snapshot cannot be read', () => {
    const job = aJob({ parameters: { lr: 0.3 } });
    job.run.params = { lr: '0.3', seed: '7' };
    const { parameters } = rerunSubject(job, null, undefined);
    expect(parameters.map(field => [field.name, startText(field)])).toEqual([
      ['lr', '0.3'],
      ['seed', '7']
    ]);
  });

  it('knows when the kernel of then is gone', () => {
    const job = aJob();
    const wrong = (kernels: string[] | undefined) =>
      findProblems(startRerun(job), rerunSubject(job, [], kernels), trans)
        .kernel;
    expect(wrong(undefined)).toBeUndefined();
    expect(wrong(['python3'])).toBeUndefined();
    expect(wrong(['ir'])).toMatch(/not installed/);
  });
});

describe('what is sent', () => {
  const job = aJob({
    priority: 2,
    timeout_s: 5400,
    env_names: ['KEPT', 'CHANGED', 'GONE']
  });
  const { parameters } = rerunSubject(job, [aField(), EPOCHS], undefined);
  const before = startRerun(job);

  it('has limits and choices of the job, and what became of them', () => {
    const kept = aJob({
      spec: {
        kind: 'notebook',
        notebook: 'train.ipynb',
        memory_limit: 4 * 1024 ** 3,
        keep_kernel_on_failure: true
      }
    });
    const form = startRerun(kept);
    expect(form).toMatchObject({ memoryLimit: '4GiB', keepKernel: true });
    expect(buildRerun(form, kept, [])).toEqual({});
    expect(
      buildRerun({ ...form, memoryLimit: '', keepKernel: false }, kept, [])
    ).toEqual({ memory_limit: null, keep_kernel_on_failure: false });
    expect(buildRerun({ ...form, memoryLimit: '8 gib' }, kept, [])).toEqual({
      memory_limit: 8 * 1024 ** 3
    });
  });

  it('is nothing where nothing was changed', () => {
    expect(before).toMatchObject({
      kernel: 'python3',
      target: 'local',
      experiment: 'train',
      priority: 2,
      timeout: '1h 30m',
      env: 'KEPT\nCHANGED\nGONE'
    });
    expect(buildRerun(before, job, parameters)).toEqual({});
  });

  it('is all that was changed, and only that', () => {
    const form = {
      ...before,
      kernel: 'ir',
      target: 'gpu',
      experiment: ' other ',
      name: ' mine ',
      drafts: { lr: '.5', epochs: '5' },
      priority: 0,
      timeout: '',
      env: 'KEPT\nCHANGED=2\nNEW=3',
      tags: 'team = vision',
      note: 'why'
    };
    expect(buildRerun(form, job, parameters)).toEqual({
      kernel: 'ir',
      target: 'gpu',
      experiment: 'other',
      name: 'mine',
      parameters: { lr: 0.5 },
      priority: 0,
      timeout_s: null,
      env: { CHANGED: '2', NEW: '3', GONE: null },
      tags: { team: 'vision' },
      note: 'why'
    });
  });

  it('is the line of a command, which needs no kernel', () => {
    const command = aJob({ spec: { kind: 'command', command: 'echo 1' } });
    const subject = rerunSubject(command, null, ['python3']);
    const form = startRerun(command);
    expect(form.command).toBe('echo 1');
    expect(findProblems(form, subject, trans)).toEqual({});
    expect(buildRerun({ ...form, command: 'echo 2' }, command, [])).toEqual({
      command: 'echo 2'
    });
    const empty = { ...form, command: ' ' };
    expect(Object.keys(findProblems(empty, subject, trans))).toEqual([
      'command'
    ]);
  });

  it('takes a name alone only for a variable that the job had', () => {
    const subject = rerunSubject(job, [], undefined);
    const wrong = { ...before, env: 'KEPT\nOTHER' };
    expect(findProblems(wrong, subject, trans).env).toContain('OTHER');
  });
});

it.each(['command', 'target', 'kernel', 'env.A', 'parameters.lr'])(
  'the server’s %s stands at a field',
  field => {
    const error = new ApiError(400, 'x', 'Wrong.', field);
    const subject = rerunSubject(aJob(), [aField()], undefined);
    expect(placeOf(error, subject)).toBe(field.replace('.A', ''));
  }
);

it('keeps the names of secrets, and sends what is other about them', () => {
  const job = aJob({ secrets: { HF_TOKEN: 'HF_TOKEN', KEY: 's3' } });
  const before = startRerun(job);
  expect(before.secrets).toBe('HF_TOKEN\nKEY=s3');
  expect(buildRerun(before, job, [])).toEqual({});
  const after = { ...before, secrets: 'HF_TOKEN=other\nNEW' };
  expect(buildRerun(after, job, [])).toEqual({
    secrets: { HF_TOKEN: 'other', NEW: 'NEW', KEY: null }
  });
});
