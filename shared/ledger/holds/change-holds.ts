import { decideHolds, type HoldDecision, type HoldRequest } from "../../core/holds/decide-holds.ts";
import type { Hold } from "../../core/holds/hold.ts";
import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { moveAccounts, type UnknownAccount } from "../books/move-account.ts";
import { lockAccounts, lockFreeAccounts, readAccounts } from "../books/read-accounts.ts";
import { readLotsOfDue } from "../books/read-lots.ts";
import { readLimits, type UsageOf } from "../budgets/read-limits.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { type HoldPlace, readHoldsToChange } from "./read-holds.ts";
import { type ChangedAccount, writeHolds } from "./write-holds.ts";

/** A request about a hold of an account. */
export type HoldAsked = HoldRequest & Pick<HoldPlace, "accountId">;

/** The hold after a request, or why it stays as it was. */
export type HoldOutcome = HoldDecision | UnknownAccount;

/**
 * Decides on requests about holds of any accounts, in their order, in one transaction. What is due on an account
 * by time alone is settled first. `overdraft` is that of accounts without their own. Returns an outcome for each request once all of them are durable.
 */
export async function changeHolds(
  database: Database,
  asked: readonly HoldAsked[],
  now: Instant,
  overdraft: MicroCredits | null = null,
): Promise<HoldOutcome[]> {
  const byAccount = byAccountOf(asked);
  const ids = [...byAccount.keys()];
  const accounts = await readAccounts(database, ids);
  const due = ids.filter((id) => mustBeSettled(accounts.get(id), now));
  if (due.length > 0) await moveAccounts(database, { accountIds: due, now }, async () => new Map());
  return inTransaction(database, async (transaction) => {
    const locked = await lockWithHolds(transaction, lockAccounts, { ids, asked, now });
    const accounts = locked.accounts.map((account) => withOverdraft(account, overdraft));
    const changed = await changeLocked(transaction, { ...locked, accounts }, byAccount, now);
    const outcomes = outcomesOf(changed, byAccount);
    return asked.map((request) => {
      const { accountId } = request;
      return outcomes.get(request) ?? { kind: "unknown_account", accountId };
    });
  });
}

/**
 * The same without waiting for anyone: null for requests about accounts that others have locked, that must be
 * settled, or that do not exist.
 */
export async function changeFreeHolds(
  database: Database,
  asked: readonly HoldAsked[],
  now: Instant,
  overdraft: MicroCredits | null = null,
): Promise<(HoldOutcome | null)[]> {
  const byAccount = byAccountOf(asked);
  return inTransaction(database, async (transaction) => {
    const ids = [...byAccount.keys()];
    const locked = await lockWithHolds(transaction, lockFreeAccounts, { ids, asked, now });
    const accounts = locked.accounts
      .filter((account) => !mustBeSettled(account, now))
      .map((account) => withOverdraft(account, overdraft));
    const changed = await changeLocked(transaction, { ...locked, accounts }, byAccount, now);
    const outcomes = outcomesOf(changed, byAccount);
    return asked.map((request) => outcomes.get(request) ?? null);
  });
}

function withOverdraft(account: Account, overdraft: MicroCredits | null): Account {
  return account.overdraft === null ? { ...account, overdraft } : account;
}

function byAccountOf(asked: readonly HoldAsked[]) {
  return Map.groupBy(asked, ({ accountId }) => accountId);
}

/** A turn of the month may have credits for it; what waits for usage to be metered makes nothing available. */
function mustBeSettled(account: Account | undefined, now: Instant): boolean {
  const at = account?.settleAt ?? null;
  return at !== null && at <= now;
}

/** Locked accounts, and of their holds those that may change, by account. */
export interface LockedHolds {
  readonly accounts: readonly Account[];
  readonly holds: ReadonlyMap<AccountId, readonly Hold[]>;
}

/** Locks accounts, and reads their holds in the same round trip: by then whoever had locked them has committed. */
export async function lockWithHolds(
  transaction: Transaction,
  lock: typeof lockAccounts,
  of: {
    readonly ids: readonly AccountId[];
    readonly asked: readonly HoldPlace[];
    readonly now: Instant;
  },
): Promise<LockedHolds> {
  const { ids, asked, now } = of;
  const [accounts, holds] = await together([
    lock(transaction, ids),
    readHoldsToChange(transaction, ids, asked, now),
  ]);
  return { accounts, holds };
}

/** Changes the holds of locked accounts; what has run out of time ends, whatever is asked. */
export async function changeLocked(
  transaction: Transaction,
  { accounts, holds }: LockedHolds,
  asked: ReadonlyMap<AccountId, readonly HoldAsked[]>,
  now: Instant,
): Promise<ChangedAccount[]> {
  if (accounts.length === 0) return [];
  const [lots, limits] = await together([
    readLotsOfDue(transaction, accounts, now),
    readLimits(transaction, limitedAmong(accounts, asked), now, 0),
  ]);
  const changed = accounts.map((account) => {
    const { accountId } = account;
    const of = {
      account,
      lots: lots.get(accountId) ?? [],
      holds: holds.get(accountId) ?? [],
      limits: limits.get(accountId) ?? [],
    };
    return { account, ...decideHolds(of, asked.get(accountId) ?? [], now) };
  });
  await writeHolds(transaction, changed, now);
  return changed;
}

/** What is asked for of accounts that have budgets. */
function limitedAmong(
  locked: readonly Account[],
  asked: ReadonlyMap<AccountId, readonly HoldAsked[]>,
): UsageOf[] {
  const limited = locked.filter(({ budgets }) => budgets !== null);
  return limited.map((account) => {
    const requests = asked.get(account.accountId) ?? [];
    const dimensions = requests.flatMap((request) =>
      request.kind === "hold" && request.dimensions !== null ? [request.dimensions] : [],
    );
    return { account, dimensions };
  });
}

function outcomesOf(
  changed: readonly ChangedAccount[],
  byAccount: ReadonlyMap<AccountId, readonly HoldAsked[]>,
): Map<HoldAsked, HoldOutcome> {
  const outcomes = new Map<HoldAsked, HoldOutcome>();
  for (const { account, decisions } of changed) {
    for (const [at, request] of (byAccount.get(account.accountId) ?? []).entries()) {
      const decision = decisions[at];
      if (decision !== undefined) outcomes.set(request, decision);
    }
  }
  return outcomes;
}
