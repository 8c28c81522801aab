/** A secret as a value of a form. Pure. */

type KeySecret = { workspace: string; name: string };

/** In place of a secret: one that is made of what is typed. */
export const NEW_SECRET = 'new';

/** A secret as a choice. */
export function secretChoice(secret: KeySecret): string {
  return `${secret.workspace}/${secret.name}`;
}

/** The secret of a choice; null for another choice. */
export function readChoice(choice: string): KeySecret | null {
  const [workspace = '', name] = choice.split('/', 2);
  return name ? { workspace, name } : null;
}

/** A name that no secret has: "far-token", or "far-token-2". */
export function freeName(wish: string, taken: readonly string[]): string {
  let name = wish;
  for (let n = 2; taken.includes(name); n += 1) {
    name = `${wish}-${n}`;
  }
  return name;
}
