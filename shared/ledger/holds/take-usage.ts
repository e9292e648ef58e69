import { takeUsage, type UsedHolds } from "../../core/holds/take-usage.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import type { HoldCredits } from "../../core/usage/hold-credits.ts";
import { readAccounts } from "../books/read-accounts.ts";
import type { AccountsRead, HoldsTaken } from "../books/update-accounts.ts";
import type { Transaction } from "../postgres/database.ts";
import { readHolds } from "./read-holds.ts";
import { writeUsedHolds, writeUsedHoldsAndHeld } from "./write-holds.ts";

/** The holds that took usage, by account. */
export type HoldsUsed = ReadonlyMap<string, ReadonlySet<string>>;

/** Those of an account; null: not known. */
export function usedOf(used: HoldsUsed | null, accountId: string): ReadonlySet<string> | null {
  return used && (used.get(accountId) ?? NONE);
}

const NONE: ReadonlySet<string> = new Set();

/** What usage takes from the holds of an account, as both were read. */
interface Taking extends UsedHolds {
  readonly account: Account;
  readonly named: readonly HoldCredits[];
}

/**
 * Takes usage from the holds that it names. Their accounts are not locked yet: those whose holds change after they
 * were read are taken from again as they are written. Usage of a hold that has ended, or that the account does not
 * have, changes none.
 */
export async function takeFromHolds(
  transaction: Transaction,
  credits: readonly HoldCredits[],
  accounts: AccountsRead,
  now: Instant,
): Promise<Taking[]> {
  if (credits.length === 0) return [];
  const holds = await readHolds(transaction, credits);
  return Array.from(
    Map.groupBy(credits, ({ accountId }) => accountId),
    ([accountId, named]) => {
      const account = accounts.get(accountId);
      if (account === undefined)
        throw new Error(`usage was drawn of ${accountId}, which was not read`);
      const known = new Map(holds.get(account.accountId)?.map((hold) => [hold.holdId, hold]));
      const uses = named.flatMap(({ holdId, credits }) => {
        const hold = known.get(holdId);
        return hold === undefined ? [] : [{ hold, credits }];
      });
      return { account, named, ...takeUsage(account, uses, now) };
    },
  );
}

/**
 * What is written with the accounts. Also of those from which nothing is taken: a hold that usage names may be made
 * meanwhile.
 */
export function heldAfter(taking: readonly Taking[]): HoldsTaken {
  const held = taking.map(({ account, held, changes }) => {
    return [account.accountId, { held, changes: changes.length }] as const;
  });
  return new Map(held);
}

/** What was taken from holds, while it is written. */
interface Taken {
  readonly used: HoldsUsed;
  readonly written: Promise<void>;
}

/**
 * Begins to write what was taken, in the transaction that has drawn the usage and so has locked its accounts: what
 * follows does not wait for it. From the accounts with other holds than were read, it takes again first.
 */
export async function writeTaken(
  transaction: Transaction,
  taking: readonly Taking[],
  otherHolds: readonly string[],
  now: Instant,
): Promise<Taken> {
  const others = new Set(otherHolds);
  const asRead = taking.filter(({ account }) => !others.has(account.accountId));
  const changed = taking.filter(({ account }) => others.has(account.accountId));
  const written = writeUsedHolds(transaction, asRead, now);
  written.catch(() => undefined);
  const again = await takeAgain(transaction, changed, now);
  const used = [...asRead, ...again].map(
    ({ account, used }) => [account.accountId, new Set(used)] as const,
  );
  return { used: new Map(used), written };
}

async function takeAgain(
  transaction: Transaction,
  changed: readonly Taking[],
  now: Instant,
): Promise<Taking[]> {
  if (changed.length === 0) return [];
  const accounts = await readAccounts(
    transaction,
    changed.map(({ account }) => account.accountId),
  );
  const named = changed.flatMap(({ named }) => named);
  const again = await takeFromHolds(transaction, named, accounts, now);
  await writeUsedHoldsAndHeld(transaction, again, now);
  return again;
}
