/** `npm run examples`: draws the SVGs of examples/source as the JPEGs that README and CI send to the service. */
import { readdir } from 'node:fs/promises';
import { parse } from 'node:path';
import sharp from 'sharp';

const folder = new URL('../examples/', import.meta.url);
for (const file of await readdir(new URL('source/', folder))) {
  const { name } = parse(file);
  await sharp(new URL(`source/${file}`, folder).pathname)
    .flatten({ background: 'white' })
    .jpeg({ quality: 88 })
    .toFile(new URL(`${name}.jpg`, folder).pathname);
  console.log(`examples/${name}.jpg`);
}
