/** A parent that a test kills: it writes into the embedded database of a folder and says when that is committed. */
import { openEmbedded } from '../../src/database/embedded.ts';

const database = await openEmbedded(process.argv[2]!);
await database.query("CREATE TABLE note (text text); INSERT INTO note VALUES ('committed')");
process.stdout.write('committed\n');
