import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { findBroken } from "../../../shared/ledger/proof/invariants.ts";

/**
 * The invariants that do not hold, each with accounts where it does not; none in good books.
 * `accounts` is a pattern of LIKE for those to look at.
 */
export async function brokenInvariants(database: Database, accounts = "%"): Promise<string[]> {
  const client = await database.connect();
  try {
    await client.query(WHOLE_TABLES);
    const findings = await findBroken(client, accounts, () => undefined);
    return findings
      .filter((finding) => finding.accounts.length > 0)
      .map(({ invariant, accounts: where }) => `${invariant.holds}: ${where.join(", ")}`);
  } finally {
    client.release(true);
  }
}

/**
 * These queries join whole tables, which the services' connections are kept from; and tables of a test
 * are filled in a moment, which statistics have not heard of.
 */
const WHOLE_TABLES = `
  ANALYZE;
  SET enable_hashjoin = on;
  SET enable_mergejoin = on;
  SET enable_seqscan = on`;
