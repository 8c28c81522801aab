import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  ComputeCreate,
  ComputeTarget,
  ComputeUpdate,
  SshUpdate
} from './types';

/** What is typed into the form of a host, as text. */
export interface IHostTexts {
  name: string;
  description: string;
  host: string;
  port: string;
  user: string;
  /** What `keyChoice` makes of a secret; empty for the SSH agent. */
  key: string;
  /** The fingerprint or public key that the host must show; empty: the one that it has, if it has one. */
  hostKey: string;
  python: string;
  folder: string;
  serverUrl: string;
  maxJobs: string;
}

/** A field of the form. */
export type HostField = keyof IHostTexts;

type KeySecret = { workspace: string; name: string };

/** A secret as a value of the form. */
export function keyChoice(secret: KeySecret): string {
  return `${secret.workspace}/${secret.name}`;
}

function readKey(choice: string): KeySecret | null {
  const [workspace = '', name] = choice.split('/', 2);
  return name ? { workspace, name } : null;
}

/** The form as it opens: empty, or of a target that is there. */
export function startHost(target: ComputeTarget | null): IHostTexts {
  const place = target?.ssh;
  return {
    name: target?.name ?? '',
    description: target?.description ?? '',
    host: place?.host ?? '',
    port: String(place?.port ?? 22),
    user: place?.user ?? '',
    key: place?.key ? keyChoice(place.key) : '',
    hostKey: '',
    python: place?.python ?? '',
    folder: place?.folder ?? '',
    serverUrl: place?.server_url ?? '',
    maxJobs: '1'
  };
}

const RULES: Partial<Record<HostField, RegExp>> = {
  name: /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  host: /^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/,
  user: /^([A-Za-z0-9_][A-Za-z0-9_.@-]{0,63})?$/,
  python: /^(\/.*|[A-Za-z0-9_.+][A-Za-z0-9_.+-]*)?$/,
  folder: /^(~?\/.*|~)?$/,
  serverUrl: /^(https?:\/\/\S+)?$/
};

/** A whole number in a range; NaN for anything else. */
function whole(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  return value >= least && value <= most ? value : NaN;
}

/**
 * What is wrong, by field; what is empty and must be given is not told before it was tried.
 *
 * @param before - What the form began with: what a target has cannot be taken away from it.
 */
export function hostProblems(
  texts: IHostTexts,
  before: IHostTexts,
  trans: TranslationBundle
): Partial<Record<HostField, string>> {
  const words: Partial<Record<HostField, string>> = {
    name: trans.__(
      'Letters, digits, “-” and “_”; the first a letter or digit.'
    ),
    host: trans.__('A name or an address: letters, digits, “.” and “-”.'),
    user: trans.__('Letters, digits, “_”, “.”, “@” and “-”.'),
    python: trans.__('A whole path, or the name of a program: python3.'),
    folder: trans.__('A path that begins with / or ~/.'),
    serverUrl: trans.__('An address that begins with http:// or https://.')
  };
  const problems: Partial<Record<HostField, string>> = {};
  for (const [field, rule] of Object.entries(RULES) as [HostField, RegExp][]) {
    const text = texts[field].trim();
    if (text && !rule.test(text)) {
      problems[field] = words[field];
    }
  }
  for (const field of ['host', 'user'] as const) {
    if (before[field] && !texts[field].trim()) {
      problems[field] = trans.__('It cannot be left empty.');
    }
  }
  if (Number.isNaN(whole(texts.port, 1, 65535))) {
    problems.port = trans.__('A whole number from 1 to 65535.');
  }
  if (Number.isNaN(whole(texts.maxJobs, 1, 1000))) {
    problems.maxJobs = trans.__('A whole number from 1 to 1000.');
  }
  return problems;
}

/** The port that is typed. */
export function portOf(texts: IHostTexts): number {
  return whole(texts.port, 1, 65535);
}

/** What is sent for a new target. */
export function hostToMake(texts: IHostTexts): ComputeCreate {
  const given = (field: HostField): string | undefined =>
    texts[field].trim() || undefined;
  return {
    name: texts.name.trim(),
    max_jobs: whole(texts.maxJobs, 1, 1000),
    description: texts.description.trim(),
    ssh: {
      host: texts.host.trim(),
      port: portOf(texts),
      host_key: texts.hostKey.trim(),
      user: given('user'),
      python: given('python'),
      folder: given('folder'),
      server_url: given('serverUrl'),
      key: readKey(texts.key)
    }
  };
}

/** What is sent for a target that is there: only what differs from what the form began with. */
export function hostToChange(
  texts: IHostTexts,
  before: IHostTexts
): ComputeUpdate {
  const changed = (field: HostField): boolean =>
    texts[field].trim() !== before[field];
  const ssh: SshUpdate = {
    ...(changed('host') && { host: texts.host.trim() }),
    ...(changed('port') && { port: portOf(texts) }),
    ...(changed('user') && texts.user.trim() && { user: texts.user.trim() }),
    ...(changed('python') && { python: texts.python.trim() || 'python3' }),
    ...(changed('folder') && { folder: texts.folder.trim() || '~/.mlws' }),
    ...(changed('key') && { key: readKey(texts.key) }),
    ...(changed('hostKey') && { host_key: texts.hostKey.trim() }),
    ...(changed('serverUrl') && { server_url: texts.serverUrl.trim() || null })
  };
  return {
    ...(changed('description') && { description: texts.description.trim() }),
    ...(Object.keys(ssh).length > 0 && { ssh })
  };
}

const FIELDS: Readonly<Record<string, HostField>> = {
  name: 'name',
  description: 'description',
  max_jobs: 'maxJobs',
  host: 'host',
  port: 'port',
  user: 'user',
  key: 'key',
  host_key: 'hostKey',
  python: 'python',
  folder: 'folder',
  server_url: 'serverUrl'
};

/** The field of the form that a field of the request stands in: "ssh.host_key" is `hostKey`; null for none. */
export function fieldOf(path: string | undefined): HostField | null {
  const part = path?.replace(/^(body\.)?(ssh\.)?/, '').split('.', 1)[0];
  return (part !== undefined && FIELDS[part]) || null;
}
