/** Name of the workspace that exists from the start. It keeps its name, and can be neither archived nor deleted. */
export const DEFAULT_WORKSPACE = 'default';
