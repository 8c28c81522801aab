import { useWorkspace } from '../workspaces';
import { textOf, type Texts } from './fields';
import { NEW_SECRET, readChoice } from './secretChoice';
import type { ComputeTarget } from './types';

/** A token that is typed, and where it is to be kept. */
export interface ITypedToken {
  value: string;
  workspace: string;
  /** The secret that is given this value; null: a new one. */
  secret: string | null;
  /** What a new one is called, if no other is. */
  wish: string;
}

/** The field of the form in which a token is typed: it stands in no request about the target. */
export const TYPED_TOKEN = 'typed_token';

/**
 * Where a typed token is to be kept. A secret that has one gets the new value only while the address stays: else one of the
 * two servers could be sent the other's.
 */
export function useTypedToken(
  texts: Texts,
  before: Texts,
  target: ComputeTarget | null
): ITypedToken | null {
  const [workspace] = useWorkspace();
  const value = textOf(texts, TYPED_TOKEN);
  const choice = textOf(texts, 'token');
  const kept = keptSecret(texts, before);
  if (
    !value ||
    !choice ||
    (choice !== NEW_SECRET && choice !== before['token'])
  ) {
    return null;
  }
  return {
    value,
    workspace: kept?.workspace ?? workspace,
    secret: kept?.name ?? null,
    wish: `${target?.name ?? textOf(texts, 'name')}-token`
  };
}

/** The secret whose value a typed token replaces; null where it becomes a new one. */
export function keptSecret(
  texts: Texts,
  before: Texts
): { workspace: string; name: string } | null {
  const choice = textOf(texts, 'token');
  return choice === before['token'] &&
    textOf(texts, 'url') === textOf(before, 'url')
    ? readChoice(choice)
    : null;
}
