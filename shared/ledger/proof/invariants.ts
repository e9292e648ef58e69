import type { Database, Transaction } from "../postgres/database.ts";
import { allowWholeTables, readSnapshot } from "../postgres/read-snapshot.ts";
import { DUE_INVARIANTS } from "./invariants/due.ts";
import type { Invariant } from "./invariants/invariant.ts";
import { LINE_INVARIANTS } from "./invariants/line.ts";
import { MONTH_INVARIANTS } from "./invariants/months.ts";
import { PAYMENT_INVARIANTS } from "./invariants/payments.ts";
import { USAGE_INVARIANTS } from "./invariants/usage.ts";

export const INVARIANTS: readonly Invariant[] = [
  ...LINE_INVARIANTS,
  ...MONTH_INVARIANTS,
  ...PAYMENT_INVARIANTS,
  ...DUE_INVARIANTS,
  ...USAGE_INVARIANTS,
];

/** What was found of one invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** Accounts where it does not hold, so many at most; none: it holds. */
  readonly accounts: readonly string[];
}

const MOST_NAMED = 5;

/**
 * Holds the books against each invariant, one after another, all on one state of them: metering may go
 * on meanwhile. `onFinding` hears of each as it was found.
 */
export async function checkInvariants(
  database: Database,
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> {
  return readSnapshot(database, async (transaction) => {
    await allowWholeTables(transaction);
    return findBroken(transaction, "%", onFinding);
  });
}

/**
 * The same on what a connection sees. `accounts` is a pattern of LIKE for those to look at; of those
 * where one does not hold, so many are named at most.
 */
export async function findBroken(
  transaction: Transaction,
  accounts: string,
  onFinding: (finding: Finding) => void,
  mostNamed = MOST_NAMED,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const invariant of INVARIANTS) {
    const broken = await brokenIn(transaction, invariant, accounts, mostNamed);
    const finding = { invariant, accounts: broken };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

async function brokenIn(
  transaction: Transaction,
  { accounts: query }: Invariant,
  accounts: string,
  mostNamed: number,
): Promise<string[]> {
  const { rows } = await transaction.query<{ account: string }>(
    `SELECT DISTINCT account_id AS account
     FROM (${query}) AS broken
     WHERE account_id LIKE $1
     LIMIT $2`,
    [accounts, mostNamed],
  );
  return rows.map(({ account }) => account);
}
