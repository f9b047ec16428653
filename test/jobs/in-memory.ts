import { PGlite } from '@electric-sql/pglite';
import type { Database } from '../../src/database/database.ts';

/** PGlite in this process, where its hundreds of statements are fast. */
export async function openInMemory(): Promise<Database> {
  const lite = await PGlite.create();
  const query = async <Row>(text: string, values?: readonly unknown[]): Promise<Row[]> => {
    const result = values?.length ? await lite.query(text, [...values]) : (await lite.exec(text)).at(-1);
    return (result?.rows ?? []) as Row[];
  };
  return {
    exclusive: true,
    query,
    async transaction(work) {
      await query('BEGIN');
      try {
        const result = await work({ query });
        await query('COMMIT');
        return result;
      } catch (error) {
        await query('ROLLBACK');
        throw error;
      }
    },
    close: () => lite.close(),
  };
}
