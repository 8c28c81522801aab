import { nullTranslator } from '@jupyterlab/translation';

import { ApiError } from '../../../api/errors';
import { readSpan, spanText } from '../../../lib/span';
import {
  changedValues,
  defaultText,
  draftProblem,
  placeholder
} from '../drafts';
import { readPairs } from '../lines';
import {
  buildJob,
  findProblems,
  placeOf,
  startSubmission
} from '../submission';
import type { ParameterField } from '../types';
import { aField, anInspection } from './factories';

const trans = nullTranslator.load('jupyter_mlws');
const anything = (value: unknown): ParameterField['default'] => value;

describe('defaultText', () => {
  it.each([
    ['a number as written', aField(), '1e-3'],
    [
      'text without quotes',
      aField({
        type: 'str',
        default: anything('adam'),
        default_source: '"adam"'
      }),
      'adam'
    ],
    [
      'a list as written',
      aField({
        type: 'list',
        default: anything([64, 32]),
        default_source: '[64, 32]'
      }),
      '[64, 32]'
    ],
    [
      'a tuple as JSON',
      aField({
        type: 'list',
        default: anything([1, 2]),
        default_source: '(1, 2)'
      }),
      '[1,2]'
    ],
    [
      'a truth value as Python has it',
      aField({
        type: 'bool',
        default: anything(false),
        default_source: 'False'
      }),
      'False'
    ],
    [
      'nothing for None',
      aField({ type: 'none', default: anything(null), default_source: 'None' }),
      ''
    ],
    [
      'nothing for an expression',
      aField({
        required_literal: false,
        default: anything(null),
        default_source: 'len(x)'
      }),
      ''
    ]
  ])('%s', (_what, field, text) => {
    expect(defaultText(field)).toBe(text);
  });

  it('shows an expression behind an empty field', () => {
    const field = aField({
      required_literal: false,
      default: anything(null),
      default_source: 'len(x)'
    });
    expect(placeholder(field)).toBe('len(x)');
    expect(placeholder(aField())).toBe('');
  });
});

describe('what is sent', () => {
  const fields = [
    aField(),
    aField({
      name: 'epochs',
      type: 'int',
      default: anything(5),
      default_source: '5'
    }),
    aField({
      name: 'aug',
      type: 'bool',
      default: anything(false),
      default_source: 'False'
    })
  ];

  it('is only what differs from its default', () => {
    expect(changedValues(fields, {})).toBeUndefined();
    expect(
      changedValues(fields, { lr: '1e-3', epochs: '7', aug: 'True' })
    ).toEqual({ epochs: 7, aug: true });
  });

  it('leaves out what the server takes by itself', () => {
    const inspection = anInspection({ parameters: fields });
    const form = startSubmission(inspection, 'local');
    expect(buildJob(form, inspection)).toEqual({
      spec: { kind: 'notebook', notebook: 'lab/train.ipynb' },
      target: 'local',
      experiment: 'train'
    });
  });

  it('takes all that was chosen', () => {
    const inspection = anInspection({ parameters: fields });
    const form = {
      ...startSubmission(inspection, 'local'),
      kernel: 'ir',
      name: ' mine ',
      drafts: { lr: '.5' },
      priority: 3,
      timeout: '1h 30m',
      inPlace: true,
      env: '# comment\nA=1=2\n',
      tags: 'team = vision',
      note: 'why',
      confirmed: true
    };
    expect(buildJob(form, inspection)).toEqual({
      spec: {
        kind: 'notebook',
        notebook: 'lab/train.ipynb',
        kernel: 'ir',
        parameters: { lr: 0.5 }
      },
      target: 'local',
      experiment: 'train',
      name: 'mine',
      priority: 3,
      timeout_s: 5400,
      in_place: true,
      env: { A: '1=2' },
      tags: { team: 'vision' },
      note: 'why',
      confirm_large: true
    });
  });
});

describe('what is wrong', () => {
  it.each([
    ['int', '0.5', false],
    ['int', 'fast', true],
    ['unknown', '12345678901234567890', true],
    ['unknown', '1e400', true],
    ['int', '12345678901234567890', true],
    ['int', '7', false],
    ['float', 'fast', true],
    ['list', '{"a": 1}', true],
    ['dict', '{"a": 1}', false],
    ['str', 'anything', false],
    ['unknown', 'anything', false]
  ] as const)('%s takes %p: wrong %p', (type, text, wrong) => {
    const field = aField({ type });
    expect(draftProblem(field, { lr: text }, trans) !== undefined).toBe(wrong);
  });

  it('is found in every field', () => {
    const inspection = anInspection({ kernel_available: false });
    const form = {
      ...startSubmission(inspection, 'local'),
      drafts: { lr: 'x' },
      priority: 1000,
      timeout: '90',
      env: 'A',
      tags: '=x'
    };
    expect(Object.keys(findProblems(form, inspection, trans)).sort()).toEqual([
      'env',
      'kernel',
      'parameters.lr',
      'priority',
      'tags',
      'timeout_s'
    ]);
    expect(
      findProblems(
        startSubmission(anInspection(), 'local'),
        anInspection(),
        trans
      )
    ).toEqual({});
  });

  it.each([
    ['spec.parameters.lr', 'parameters.lr'],
    ['parameters.lr', 'parameters.lr'],
    ['spec.kernel', 'kernel'],
    ['experiment', 'experiment'],
    ['confirm_large', 'confirm_large'],
    ['env.A', 'env'],
    ['spec.parameters.gone', null],
    ['parent_id', null]
  ])('the server’s %s stands at %p', (field, place) => {
    const error = new ApiError(400, 'x', 'Wrong.', field);
    expect(placeOf(error, anInspection())).toBe(place);
  });
});

describe('small notations', () => {
  it.each([
    ['', null],
    ['90s', 90],
    ['45 min', 2700],
    ['1h 30m', 5400],
    ['1.5h', 5400],
    ['2d', 172_800],
    ['90', NaN],
    ['soon', NaN]
  ])('%p is %p seconds', (text, seconds) => {
    expect(readSpan(text)).toEqual(seconds);
  });

  it.each([
    [null, ''],
    [90, '1m 30s'],
    [5400, '1h 30m'],
    [172_800, '2d']
  ])('%p seconds are written %p', (seconds, text) => {
    expect(spanText(seconds)).toBe(text);
    expect(readSpan(text)).toBe(seconds);
  });

  it('reads pairs, and names the first line that is none', () => {
    expect(readPairs('a=1\n\n# c\nb = x=y')).toEqual({
      pairs: { a: '1', b: 'x=y' },
      kept: [],
      wrong: null
    });
    expect(readPairs('a\nb=1', ['a', 'b'])).toEqual({
      pairs: { b: '1' },
      kept: ['a'],
      wrong: null
    });
    expect(readPairs('a=1\nnonsense').wrong).toBe('nonsense');
  });
});

describe('the memory limit', () => {
  it('is sent in bytes, and refused where no program fits in', () => {
    const inspection = anInspection();
    const start = startSubmission(inspection, 'local');
    const form = { ...start, memoryLimit: '1GiB', keepKernel: true };
    expect(buildJob(form, inspection).spec).toMatchObject({
      memory_limit: 1024 ** 3,
      keep_kernel_on_failure: true
    });
    expect(buildJob(start, inspection).spec).toEqual({
      kind: 'notebook',
      notebook: inspection.path
    });
    const wrong = findProblems(
      { ...start, memoryLimit: '4' },
      inspection,
      trans
    );
    expect(wrong.memory_limit).toMatch(/512 MB/);
  });
});
