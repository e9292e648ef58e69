import type { Books } from "../books/books.ts";

/** All rows of all tables, as text, to show that nothing was changed. */
export async function everyTable({
  database,
}: Pick<Books, "database">): Promise<Record<string, string[]>> {
  const tables = await database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
  );
  const rows: Record<string, string[]> = {};
  for (const { name } of tables.rows) {
    const read = await database.query<{ row: string }>(
      `SELECT to_jsonb(stored)::text AS row FROM ${name} AS stored ORDER BY 1`,
    );
    rows[name] = read.rows.map(({ row }) => row);
  }
  return rows;
}

/** An account's pending records for a topic, in order. */
export async function outboxOf(
  { database }: Pick<Books, "database">,
  accountId: string,
  topic: string,
): Promise<Record<string, unknown>[]> {
  const { rows } = await database.query<{ record: string }>(
    "SELECT record FROM outbox WHERE account_id = $1 AND topic = $2 ORDER BY sequence",
    [accountId, topic],
  );
  return rows.map(({ record }) => JSON.parse(record));
}
