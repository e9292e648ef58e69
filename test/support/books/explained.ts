import type { Database } from "../../../shared/ledger/postgres/database.ts";

/** How Postgres would run the one statement that `work` sends, which is explained in its place. */
export async function explained(
  database: Database,
  work: (database: Database) => Promise<unknown>,
): Promise<string> {
  let plan = "";
  const explaining = new Proxy(database, {
    get: (pool, name) =>
      name !== "query"
        ? Reflect.get(pool, name)
        : async ({ text, values }: { text: string; values: unknown[] }) => {
            const { rows } = await pool.query<[string]>({
              text: `EXPLAIN ${text}`,
              values,
              rowMode: "array",
            });
            plan = rows.map(([line]) => line).join("\n");
            return { rows: [] };
          },
  });
  await work(explaining);
  return plan;
}
