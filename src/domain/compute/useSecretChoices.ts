import { useQuery } from '@tanstack/react-query';

import { useApi } from '../../api/context';
import { useTrans } from '../../ui';
import { secretQueries } from '../secrets';
import { useWorkspace } from '../workspaces';
import { NEW_SECRET, secretChoice } from './secretChoice';

/** A secret that can be chosen. */
export interface ISecretChoice {
  value: string;
  label: string;
}

/**
 * The secrets of the workspace as choices.
 *
 * @param value - What is chosen: of another workspace, or gone, it stays what it is until another one is chosen.
 */
export function useSecretChoices(value: string): {
  workspace: string;
  names: readonly string[];
  choices: ISecretChoice[];
} {
  const trans = useTrans();
  const [workspace] = useWorkspace();
  const secrets = useQuery(secretQueries.list(useApi(), workspace));
  const names = (secrets.data?.secrets ?? []).map(({ name }) => name);
  const choices = names.map(name => ({
    value: secretChoice({ workspace, name }),
    label: trans.__('Secret %1', name)
  }));
  if (
    value &&
    value !== NEW_SECRET &&
    !choices.some(choice => choice.value === value)
  ) {
    choices.unshift({ value, label: trans.__('Secret %1', value) });
  }
  return { workspace, names, choices };
}
