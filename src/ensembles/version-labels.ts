import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, VerydeepError } from '../errors.ts';
import { writeDurably } from '../files/durable.ts';
import { makeFolder } from '../files/make-folder.ts';
import { readRegularFile } from '../files/regular.ts';
import { describeIssues } from '../options/issues.ts';
import { versionSchema } from './manifest.ts';

/** `weights/NAME/labels.json`: what versions are for. Absent where every version is to be served once it is there. */
const labelsName = 'labels.json';

const schema = z.strictObject({
  /** Served by default. */
  stable: versionSchema.optional(),
  /** Written last by a job, and served by nobody who does not ask for it. */
  candidate: versionSchema.optional(),
});

export type VersionLabels = z.infer<typeof schema>;

/** Undefined if there is no such file. Throws INVALID_WEIGHTS if it is not as expected. */
export async function readVersionLabels(directory: string, name: string): Promise<VersionLabels | undefined> {
  const path = join(directory, name, labelsName);
  const expected = `${path}: expected {"stable": "1", "candidate": "2"}`;
  try {
    const labels: unknown = JSON.parse(readRegularFile(path).toString('utf8'));
    const { data, error } = schema.safeParse(labels);
    if (error) throw new Error(describeIssues(schema, error.issues, labels, { kind: 'field' }).join('. '));
    return data;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new VerydeepError('INVALID_WEIGHTS', `${expected}: ${messageOf(cause)}`, { cause });
  }
}

/** Replaces the file as a whole, so that a reader never sees half of it. */
export async function writeVersionLabels(
  directory: string,
  name: string,
  labels: VersionLabels,
): Promise<void> {
  makeFolder(resolve(directory, name));
  await writeDurably(join(directory, name, labelsName), `${JSON.stringify(labels)}\n`);
}
