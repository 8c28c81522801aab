/** What may stand in the fields of targets, as the server has it too, and what is said of the rest. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { readSpan } from '../../lib/span';

type Rule = (text: string) => string;

/** The rules, in words of a language. */
export function rulesOf(trans: TranslationBundle): {
  name: Rule;
  host: Rule;
  login: Rule;
  program: Rule;
  folder: Rule;
  url: Rule;
  slurm: Rule;
  queue: Rule;
  kernel: Rule;
  kernelUser: Rule;
  path: Rule;
  whole: (least: number, most: number) => Rule;
  span: (least: number, words: string) => Rule;
} {
  const like =
    (rule: RegExp, words: string): Rule =>
    text =>
      rule.test(text) ? '' : words;
  return {
    name: like(
      /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
      trans.__('Letters, digits, “-” and “_”; the first a letter or digit.')
    ),
    host: like(
      /^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/,
      trans.__('A name or an address: letters, digits, “.” and “-”.')
    ),
    login: like(
      /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/,
      trans.__('Letters, digits, “_”, “.”, “@” and “-”.')
    ),
    program: like(
      /^(\/.*|[A-Za-z0-9_.+][A-Za-z0-9_.+-]*)$/,
      trans.__('A whole path, or the name of a program: python3.')
    ),
    folder: like(/^(~?\/.*|~)$/, trans.__('A path that begins with / or ~/.')),
    url: like(
      /^https?:\/\/\S+$/,
      trans.__('An address that begins with http:// or https://.')
    ),
    slurm: like(
      /^[A-Za-z0-9_][A-Za-z0-9_.,:+/-]{0,199}$/,
      trans.__('Letters, digits and “_ . , : + / -”; not “-” first.')
    ),
    queue: like(
      /^[A-Za-z0-9_][A-Za-z0-9_.,:+/@-]{0,199}$/,
      trans.__('Letters, digits and “_ . , : + / @ -”; not “-” first.')
    ),
    kernel: like(
      /^[A-Za-z0-9._-]{1,200}$/,
      trans.__('Letters, digits, “.”, “_” and “-”.')
    ),
    kernelUser: like(
      /^[A-Za-z0-9_.@\\-]{1,200}$/,
      trans.__('Letters, digits, “.”, “_”, “-”, “@” and “\\”.')
    ),
    path: like(/^[/~]/, trans.__('A whole path: /etc/ssl/lab.pem.')),
    whole: (least, most) => text =>
      isWithin(/^\d+$/.test(text) ? Number(text) : NaN, least, most)
        ? ''
        : trans.__('A whole number from %1 to %2.', least, most),
    span: (least, words) => text =>
      isWithin(readSpan(text) ?? NaN, least, Infinity) ? '' : words
  };
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** Whether an address is of http, and of another machine: what goes there can be read on the way. */
export function isUnencrypted(url: string): boolean {
  const host = /^http:\/\/(\[[^\]]*\]|[^/:?#]+)/i.exec(url.trim())?.[1];
  return (
    host !== undefined &&
    !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host)
  );
}
