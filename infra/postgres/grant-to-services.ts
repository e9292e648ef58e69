import type { Database } from "../../shared/ledger/postgres/database.ts";
import { missingRights } from "../../shared/ledger/postgres/missing-rights.ts";

/** As the tables' owner: grants `role` what it lacks of the rights that the services need. */
export async function grantToServices(
  database: Database,
  role: string,
  say: (line: string) => void,
): Promise<void> {
  const { grants } = await missingRights(database, role);
  for (const grant of grants) await database.query(grant);
  if (grants.length > 0) say(`${role} may change the books`);
}

/** The role in the URL of a database. */
export function userOf(url: string): string {
  return decodeURIComponent(new URL(url).username);
}
