/** As the server wants them: letters, digits, "-" and "_", at most 63, beginning and ending with a letter or digit. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;

/** Whether the server takes it as the name of a workspace. */
export function isWorkspaceName(name: string): boolean {
  return NAME.test(name);
}
