/** Writes 1 MiB durably to the path given, and prints what was thrown as JSON. */
import { isVerydeepError, type VerydeepError } from '../../src/errors.ts';
import { writeDurably } from '../../src/files/durable.ts';

try {
  await writeDurably(process.argv[2]!, new Uint8Array(2 ** 20));
  process.stdout.write('{}');
} catch (error) {
  const { code, message } = error as VerydeepError;
  process.stdout.write(JSON.stringify({ code, message, coded: isVerydeepError(error) }));
}
