import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { foldersOf } from '../datasets/ilsvrc.ts';
import { invalidJob } from './invalid-job.ts';

/**
 * The folder of a data set by its name, a path under `datasetsDir`. Neither the name nor a symbolic link leads out of
 * it, since requests come from elsewhere. `splits` must be in it. Throws INVALID_JOB.
 */
export async function datasetFolder(
  datasetsDir: string | undefined,
  name: string,
  splits: readonly string[],
): Promise<string> {
  if (datasetsDir === undefined) throw invalidJob('DATASETS_DIR is not set, so there are no data sets');
  const expected = `dataset: expected a folder under DATASETS_DIR, received "${name}"`;
  const segments = name.split(/[\\/]/);
  const plain = !isAbsolute(name) && segments.every((segment) => !['', '.', '..'].includes(segment));
  if (!plain || name.includes('\0')) throw invalidJob(expected);
  const root = await realpath(datasetsDir).catch(() => {
    throw invalidJob('DATASETS_DIR: there is no such folder');
  });
  for (const path of ['', ...splits]) {
    const data = join(root, name);
    const folder = path === '' ? data : (await foldersOf(data, path)).images;
    const real = await realpath(folder).catch(() => {
      throw invalidJob(
        path === ''
          ? `${expected}, which is not there`
          : `dataset: expected ${name} to have the folder ${path}/`,
      );
    });
    const inside = relative(root, real);
    if (inside === '' || inside.split(sep)[0] === '..' || isAbsolute(inside)) {
      throw invalidJob(`${expected}, which leads out of it`);
    }
    if (!(await stat(real)).isDirectory())
      throw invalidJob(`${expected}, which has no folder ${path || name}`);
  }
  return join(root, name);
}
