/** A text among a command's arguments; empty where there is none. */
export function argument(
  args: Readonly<Record<string, unknown>>,
  name: string
): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}

/** How a command says that it takes no arguments. */
export function noArguments(): {
  args: { type: 'object'; properties: Record<string, never> };
} {
  return { args: { type: 'object', properties: {} } };
}
