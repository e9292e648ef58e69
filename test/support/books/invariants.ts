import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { findBroken } from "../../../shared/ledger/proof/invariants.ts";

/**
 * The broken invariants, each with accounts that break it; none in good books. `accounts` is a LIKE
 * pattern of the accounts to check.
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
 * These queries join whole tables, which the services' connections are not allowed to; and a test fills
 * its tables too quickly for statistics to be current. Those of Postgres' own tables would take longer by far.
 */
const WHOLE_TABLES = `
  DO $$ BEGIN
    EXECUTE (
      SELECT 'ANALYZE ' || string_agg(oid::regclass::text, ', ') FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition);
  END $$;
  SET enable_hashjoin = on;
  SET enable_mergejoin = on;
  SET enable_seqscan = on`;
