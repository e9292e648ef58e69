import type { Database } from "../../../shared/ledger/postgres/database.ts";

/** Postgres's plan for the first statement that `work` sends, which is explained instead of run. */
export async function explained(
  database: Database,
  work: (database: Database) => Promise<unknown>,
): Promise<string> {
  const plans: string[] = [];
  const explaining = <T extends object>(connection: T): T =>
    new Proxy(connection, {
      get: (target, name) => {
        if (name === "connect") return async () => explaining(await database.connect());
        if (name !== "query") return Reflect.get(target, name);
        return async (
          statement: string | { text: string; values: unknown[] },
          given?: unknown[],
        ) => {
          const { text, values } =
            typeof statement === "string" ? { text: statement, values: given } : statement;
          if (values === undefined) return { rows: [] };
          const { rows } = await database.query<Record<"QUERY PLAN", string>>(
            `EXPLAIN ${text}`,
            values,
          );
          plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
          return { rows: [] };
        };
      },
    });
  await work(explaining(database));
  return plans[0] ?? "";
}
