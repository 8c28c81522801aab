/** Values of parameters as people type them. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ParameterField } from './types';

/** What a parameter takes. */
export interface IParameterKind {
  type: ParameterField['type'];
  /** Whether the notebook says the type itself: only then the server refuses fractions where ints stand. */
  annotated: boolean;
  /** Whether it takes None beside values of its type. */
  nullable: boolean;
}

/** What a field of a notebook takes. */
export function kindOf(field: ParameterField): IParameterKind {
  const { type, annotated, required_literal: literal } = field;
  const value: unknown = field.default;
  return { type, annotated, nullable: literal && value === null };
}

/** What was typed: a value, or why there is none. */
export type Reading =
  | { value: unknown; problem: null }
  | { value?: undefined; problem: 'type' | 'digits' | 'size' };

/** A JSON value as text for a field: strings bare, anything else as JSON. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/**
 * Reads a field. "str" takes the text as it is; a number, truth value, list or mapping must be JSON (or
 * Python's True, False, None); "unknown" and "none" take JSON where it is some, else text.
 *
 * @returns The value, if the server takes it and JSON carries it just as it was typed.
 */
export function readText(text: string, kind: IParameterKind): Reading {
  if (kind.type === 'str' && !(kind.nullable && text.trim() === 'None')) {
    return { value: text, problem: null };
  }
  const value = parseLiteral(text.trim());
  if (value === undefined) {
    return kind.type === 'unknown' || kind.type === 'none'
      ? { value: text, problem: null }
      : { problem: 'type' };
  }
  if (!fits(value, kind)) {
    return { problem: 'type' };
  }
  const problem = numberProblem(text, value, kind.type);
  return problem ? { problem } : { value, problem: null };
}

/** What is wrong with a field, in words; undefined when nothing is. */
export function problemText(
  reading: Reading,
  kind: IParameterKind,
  trans: TranslationBundle
): string | undefined {
  switch (reading.problem) {
    case 'type':
      return wanted(kind, trans);
    case 'digits':
      return trans.__('This number has too many digits to be sent exactly.');
    case 'size':
      return trans.__('This number is too large.');
    case null:
      return undefined;
  }
}

function wanted(
  kind: IParameterKind,
  trans: TranslationBundle
): string | undefined {
  switch (kind.type) {
    case 'int':
      return kind.annotated
        ? trans.__('A whole number is needed here, such as 20.')
        : trans.__('A number is needed here, such as 20 or 0.5.');
    case 'float':
      return trans.__('A number is needed here, such as 0.01 or 1e-3.');
    case 'bool':
      return trans.__('True or False is needed here.');
    case 'list':
      return trans.__('A list is needed here, as JSON: [1, 2, 3].');
    case 'dict':
      return trans.__('A mapping is needed here, as JSON: {"a": 1}.');
    case 'str':
    case 'none':
    case 'unknown':
      return undefined;
  }
}

/** As the server judges it. */
function fits(value: unknown, kind: IParameterKind): boolean {
  if (value === null && kind.nullable) {
    return true;
  }
  switch (kind.type) {
    case 'int':
      return (
        typeof value === 'number' &&
        (!kind.annotated || !Number.isFinite(value) || Number.isInteger(value))
      );
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'dict':
      return (
        typeof value === 'object' && value !== null && !Array.isArray(value)
      );
    case 'str':
    case 'none':
    case 'unknown':
      return true;
  }
}

const STRINGS = /"(?:[^"\\]|\\.)*"/g;
const NUMBERS = /\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?/gi;

/** A number that JavaScript rounds, or takes for infinite, would arrive as another one. */
function numberProblem(
  text: string,
  value: unknown,
  type: IParameterKind['type']
): 'digits' | 'size' | null {
  if (typeof value === 'string') {
    return null;
  }
  const numbers =
    text.replace(STRINGS, '').replace(/_/g, '').match(NUMBERS) ?? [];
  if (numbers.some(number => !Number.isFinite(Number(number)))) {
    return 'size';
  }
  return type !== 'float' &&
    numbers.some(
      number => /^\d+$/.test(number) && !Number.isSafeInteger(Number(number))
    )
    ? 'digits'
    : null;
}

const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['True', true],
  ['False', false],
  ['None', null]
]);

function parseLiteral(text: string): unknown {
  if (WORDS.has(text)) {
    return WORDS.get(text);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Python's numbers: "1.", ".5", "1_000".
    const plain = text.replace(/_/g, '');
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)
      ? Number(plain)
      : undefined;
  }
}
