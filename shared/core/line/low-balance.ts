import type { Account, AccountId, Entry, Instant } from "./account.ts";
import { balanceOf, type MicroCredits } from "./credit-line.ts";
import { REFERENCE } from "./reference.ts";

/** The balance has fallen to the threshold. Published once for each downward crossing. */
export interface LowBalance {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly crossing: bigint;
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  /** What caused it: `event:<event id>`, `entry:<sequence>`, or `threshold` when that was raised. */
  readonly cause: string;
  readonly occurredAt: Instant;
}

/** True for a valid threshold, in micro-credits. It is not below 0: debt is always low. */
export function isThreshold(threshold: MicroCredits): boolean {
  return threshold >= 0n;
}

/** True for an armed account at or below its threshold. */
export function hasCrossed(account: Account): boolean {
  return !account.lowBalance && balanceOf(account) <= account.threshold;
}

/** Records a low balance: returns the account afterwards, and what to publish. */
export function recordLowBalance<A extends Account>(
  account: A,
  cause: string,
  occurredAt: Instant,
): { account: A; lowBalance: LowBalance } {
  const { accountId, threshold } = account;
  const crossing = account.crossings + 1n;
  const balance = balanceOf(account);
  return {
    account: { ...account, lowBalance: true, crossings: crossing },
    lowBalance: { accountId, crossing, balance, threshold, cause, occurredAt },
  };
}

/**
 * Arms an account after a grant. If its balance is still at or below the threshold, `hasCrossed` is
 * then true, and the low balance is published again.
 */
export function rearm<A extends Account>(account: A): A {
  return account.lowBalance ? { ...account, lowBalance: false } : account;
}

/**
 * Compares the balance with a new threshold. A threshold at or above the balance is a crossing; one
 * below it arms the account, or the next crossing would not be published.
 */
export function applyThreshold(
  account: Account,
  at: Instant,
): { account: Account; lowBalance: LowBalance | null } {
  if (balanceOf(account) > account.threshold) return { account: rearm(account), lowBalance: null };
  return account.lowBalance
    ? { account, lowBalance: null }
    : recordLowBalance(account, "threshold", at);
}

/**
 * Compares the balance with the threshold once per movement; its last entry is the cause. Only entries
 * that take credits can cross the threshold. If the account is low already, a grant publishes it again
 * unless it lifts the balance above the threshold.
 */
export function judgeBalance(
  account: Account,
  entries: readonly Entry[],
): { account: Account; lowBalance: LowBalance | null } {
  const last = entries.at(-1);
  const counts = account.lowBalance
    ? entries.some(({ kind }) => kind === "grant")
    : entries.some(({ credits }) => credits < 0n);
  if (last === undefined || !counts) return { account, lowBalance: null };
  const armed = rearm(account);
  return hasCrossed(armed)
    ? recordLowBalance(armed, REFERENCE.entryCause.write(last), last.dueAt)
    : { account: armed, lowBalance: null };
}
