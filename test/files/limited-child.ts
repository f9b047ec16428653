/** Writes 1 MiB durably to the path given, `whole` or in `parts`, and prints what was thrown as JSON. */
import { isVerydeepError, type VerydeepError } from '../../src/errors.ts';
import { writeDurably } from '../../src/files/durable.ts';

try {
  const [path, how] = process.argv.slice(2) as [string, string];
  const bytes = 2 ** 20;
  const parts = Array.from({ length: 16 }, () => new Uint8Array(bytes / 16));
  await writeDurably(path, how === 'parts' ? { bytes, parts } : new Uint8Array(bytes));
  process.stdout.write('{}');
} catch (error) {
  const { code, message } = error as VerydeepError;
  process.stdout.write(JSON.stringify({ code, message, coded: isVerydeepError(error) }));
}
