import type { components } from '../../api/schema';

/** A file, a folder, or a link to something that was not captured. */
export type FileEntry = components['schemas']['FileEntry'];
/** A safe look at a file. */
export type Preview = components['schemas']['Preview'];
/** A file of a snapshot against the working copy. */
export type FileDiff = components['schemas']['FileDiff'];

/** Which files of a run: what it made, or the code it ran. */
export type FileArea = 'artifacts' | 'snapshot';
