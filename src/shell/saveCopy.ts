import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';

import type { ISavedNotebook } from '../domain/notebooks';

type IContents = JupyterFrontEnd['serviceManager']['contents'];

/**
 * Saves a notebook as a new file beside its source, or at the root where that folder is gone.
 *
 * @returns The path of the new file; no file that is there is ever written over.
 */
export async function saveCopy(
  contents: IContents,
  copy: ISavedNotebook
): Promise<string> {
  const folder = await existing(contents, PathExt.dirname(copy.source));
  const stem = PathExt.basename(copy.source, '.ipynb');
  const label = copy.label.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60);
  const taken = new Set(await names(contents, folder));
  for (let n = 1; ; n += 1) {
    const name = `${stem}-${label}${n > 1 ? `-${n}` : ''}.ipynb`;
    if (!taken.has(name)) {
      const path = PathExt.join(folder, name);
      await contents.save(path, {
        type: 'notebook',
        format: 'json',
        content: copy.content
      });
      return path;
    }
  }
}

async function existing(contents: IContents, folder: string): Promise<string> {
  try {
    await contents.get(folder, { content: false });
    return folder;
  } catch {
    // Deleted or moved since the run: the root is always there.
    return '';
  }
}

async function names(contents: IContents, folder: string): Promise<string[]> {
  const model = await contents.get(folder, { content: true });
  return (model.content as { name: string }[]).map(({ name }) => name);
}
