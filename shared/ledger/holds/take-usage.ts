import { takeUsage } from "../../core/holds/take-usage.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import type { HoldCredits } from "../../core/usage/hold-credits.ts";
import { textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { readHolds } from "./read-holds.ts";
import { writeUsedHolds } from "./write-holds.ts";

const HELD = `
  SELECT account_id AS "accountId", held, hold_changes AS "holdChanges"
  FROM account
  WHERE account_id = ANY($1::text[])`;

/** The holds that took usage, by account. */
export type HoldsUsed = ReadonlyMap<string, ReadonlySet<string>>;

/** Those of an account; null: not known. */
export function usedOf(used: HoldsUsed | null, accountId: string): ReadonlySet<string> | null {
  return used && (used.get(accountId) ?? NONE);
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Takes usage from the holds that it names, in the transaction that has drawn it and so has locked its accounts.
 * Usage of a hold that has ended, or that the account does not have, changes none.
 */
export async function takeFromHolds(
  transaction: Transaction,
  credits: readonly HoldCredits[],
  now: Instant,
): Promise<HoldsUsed> {
  if (credits.length === 0) return new Map();
  const named = Map.groupBy(credits, ({ accountId }) => accountId);
  type Holding = Pick<Account, "accountId" | "held" | "holdChanges">;
  const [accounts, holds] = await together([
    queryRows<Holding>(transaction, HELD, [textArray([...named.keys()])], "read-held"),
    readHolds(transaction, credits),
  ]);
  const used = accounts.map((account) => {
    const known = new Map(holds.get(account.accountId)?.map((hold) => [hold.holdId, hold]));
    const uses = (named.get(account.accountId) ?? []).flatMap(({ holdId, credits }) => {
      const hold = known.get(holdId);
      return hold === undefined ? [] : [{ hold, credits }];
    });
    return { account, ...takeUsage(account, uses, now) };
  });
  await writeUsedHolds(transaction, used, now);
  return new Map(used.map(({ account, used }) => [account.accountId, new Set(used)]));
}
