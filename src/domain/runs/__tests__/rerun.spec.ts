import { aRun } from '../../../testing/runs';
import { changedParameters, readRow, rerunDrafts } from '../rerun';
import type { Job, ParameterField } from '../types';

function aJob(parameters: Record<string, unknown>): Job {
  return {
    run: aRun({ params: { lr: '0.1', epochs: '5', seed: '7' } }),
    spec: { kind: 'notebook', notebook: 'train.ipynb', parameters }
  } as unknown as Job;
}

function aField(part: Partial<ParameterField>): ParameterField {
  return {
    name: 'lr',
    type: 'float',
    default: 0.1,
    default_source: '0.1',
    help: '',
    required_literal: true,
    annotated: false,
    ...part
  };
}

describe('rerunDrafts', () => {
  it('shows what was given, else the default that the snapshot has', () => {
    const drafts = rerunDrafts(aJob({ lr: 0.3 }), [
      aField({}),
      aField({ name: 'epochs', type: 'int', default: 5 }),
      aField({
        name: 'path',
        type: 'unknown',
        default: null,
        default_source: 'home()',
        required_literal: false
      })
    ]);
    expect(drafts.map(({ name, text }) => [name, text])).toEqual([
      ['lr', '0.3'],
      ['epochs', '5'],
      ['path', '']
    ]);
    expect(drafts[2]?.placeholder).toBe('home()');
  });

  it('takes the run’s own record where the snapshot cannot be read', () => {
    const drafts = rerunDrafts(aJob({ lr: 0.3 }), null);
    expect(drafts.map(({ name, text }) => [name, text])).toEqual([
      ['lr', '0.3'],
      ['epochs', '5'],
      ['seed', '7']
    ]);
  });

  it('has no fields for a notebook without parameters', () => {
    expect(rerunDrafts(aJob({}), [])).toEqual([]);
  });
});

describe('what is sent', () => {
  it('is only what was changed', () => {
    const [lr, seed] = rerunDrafts(aJob({}), [
      aField({}),
      aField({ name: 'seed', type: 'int', default: 7 })
    ]);
    if (!lr || !seed) {
      throw new Error('two drafts are needed');
    }
    expect(changedParameters([readRow(lr, undefined)])).toBeUndefined();
    expect(changedParameters([readRow(lr, '0.7'), readRow(seed, '7')])).toEqual(
      { lr: 0.7 }
    );
    expect(readRow(seed, 'soon').wrong).toBe(true);
  });
});
