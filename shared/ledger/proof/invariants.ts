import type { Database, Transaction } from "../postgres/database.ts";
import { allowWholeTables, readUsageSnapshot } from "../postgres/read-snapshot.ts";
import { BUDGET_INVARIANTS } from "./invariants/budgets.ts";
import { DUE_INVARIANTS } from "./invariants/due.ts";
import { HOLD_INVARIANTS } from "./invariants/holds.ts";
import type { Invariant } from "./invariants/invariant.ts";
import { LINE_INVARIANTS } from "./invariants/line.ts";
import { MONTH_INVARIANTS } from "./invariants/months.ts";
import { PAYMENT_INVARIANTS } from "./invariants/payments.ts";
import { USAGE_INVARIANTS } from "./invariants/usage.ts";

export const INVARIANTS: readonly Invariant[] = [
  ...LINE_INVARIANTS,
  ...MONTH_INVARIANTS,
  ...PAYMENT_INVARIANTS,
  ...HOLD_INVARIANTS,
  ...DUE_INVARIANTS,
  ...USAGE_INVARIANTS,
  ...BUDGET_INVARIANTS,
];

/** The result of checking one invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** The first few accounts where it does not hold; empty: it holds. */
  readonly accounts: readonly string[];
}

const MOST_NAMED = 5;

/** Checks each invariant on one snapshot of the books; metering goes on. `onFinding` receives each result. */
export async function checkInvariants(
  database: Database,
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> {
  return readUsageSnapshot(database, async (transaction) => {
    await allowWholeTables(transaction);
    return findBroken(transaction, "%", onFinding);
  });
}

/** The same in a given transaction, for the accounts that match a LIKE pattern. */
export async function findBroken(
  transaction: Transaction,
  accounts: string,
  onFinding: (finding: Finding) => void,
  mostNamed = MOST_NAMED,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const invariant of INVARIANTS) {
    const { rows } = await transaction.query<{ account: string }>(
      `SELECT DISTINCT account_id AS account
       FROM (${invariant.accounts}) AS broken
       WHERE account_id LIKE $1
       LIMIT $2`,
      [accounts, mostNamed],
    );
    const finding = { invariant, accounts: rows.map(({ account }) => account) };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}
