import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { useApi } from '../../../api/context';
import { CopyButton, useTrans } from '../../../ui';
import { runQueries } from '../queries';
import type { Environment } from '../types';
import { Card } from './Card';
import { RecreateEnvironment } from './RecreateEnvironment';

const SHOWN = 200;

/** The installed packages, searchable. */
export function EnvironmentCard(props: { runId: string }): JSX.Element | null {
  const trans = useTrans();
  const environment = useQuery(runQueries.environment(useApi(), props.runId));
  const [words, setWords] = useState('');
  const packages = useMemo(
    () =>
      Object.entries(environment.data?.packages ?? {}).sort(([a], [b]) =>
        a.localeCompare(b)
      ),
    [environment.data]
  );
  const found = packages.filter(([name]) =>
    name.toLowerCase().includes(words.trim().toLowerCase())
  );
  if (packages.length === 0) {
    return isOtherKernel(environment.data) ? (
      <Card title={trans.__('Environment')}>
        <RecreateEnvironment runId={props.runId} />
      </Card>
    ) : null;
  }
  return (
    <Card
      title={trans.__('Packages')}
      actions={
        <CopyButton
          label={trans.__('Copy as requirements')}
          text={() => packages.map(([n, v]) => `${n}==${v}`).join('\n')}
        />
      }
    >
      <RecreateEnvironment runId={props.runId} />
      <input
        type="search"
        className="jp-mlws-input"
        aria-label={trans.__('Filter packages')}
        placeholder={trans._n(
          'Filter %1 package',
          'Filter %1 packages',
          packages.length
        )}
        value={words}
        onChange={event => setWords(event.target.value)}
      />
      <ul
        className="jp-mlws-packages"
        aria-label={trans.__('Packages')}
        // Reachable, so that the keyboard can scroll it.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        {found.slice(0, SHOWN).map(([name, version]) => (
          <li key={name}>
            <span className="jp-mlws-ellipsis" title={name}>
              {name}
            </span>
            <span className="jp-mlws-number">{version}</span>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && (
        <p className="jp-mlws-hint">
          {trans.__('%1 more: type to find one.', found.length - SHOWN)}
        </p>
      )}
      {found.length === 0 && (
        <p className="jp-mlws-hint">
          {trans.__('No package has such a name.')}
        </p>
      )}
    </Card>
  );
}

/** Of a kernel of another language its name is all that there is, and enough. */
function isOtherKernel(captured: Environment | null | undefined): boolean {
  const { kernel_name: kernel, language } = captured ?? {};
  return (
    Boolean(kernel && language) && !/^(python|unknown)$/.test(language ?? '')
  );
}
