import type { Account, AccountId, Entry, Instant } from "./account.ts";
import { balanceOf, type MicroCredits } from "./credit-line.ts";
import { REFERENCE } from "./reference.ts";

/** The balance has fallen to the threshold: said once for each downward crossing. */
export interface LowBalance {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly crossing: bigint;
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  /** What crossed: `event:<event id>`, `entry:<sequence>`, or `threshold` where that was raised. */
  readonly cause: string;
  readonly occurredAt: Instant;
}

/** True when an account can have this threshold, in micro-credits: it is never below zero, debt is low in any case. */
export function isThreshold(threshold: MicroCredits): boolean {
  return threshold >= 0n;
}

/** True when a movement that took credits has brought an account, not yet said to be low, down to its threshold. */
export function hasCrossed(account: Account): boolean {
  return !account.lowBalance && balanceOf(account) <= account.threshold;
}

/** Says a low balance: the account as it is afterwards, and what to announce. */
export function recordLowBalance<A extends Account>(
  account: A,
  cause: string,
  occurredAt: Instant,
): { account: A; lowBalance: LowBalance } {
  const crossing = account.crossings + 1n;
  return {
    account: { ...account, lowBalance: true, crossings: crossing },
    lowBalance: {
      accountId: account.accountId,
      crossing,
      balance: balanceOf(account),
      threshold: account.threshold,
      cause,
      occurredAt,
    },
  };
}

/**
 * After a grant: armed again when the balance now lies above the threshold. A balance that was said
 * to be low and still lies at or below it is to be said again, so it is armed too: `hasCrossed`
 * then tells.
 */
export function rearm<A extends Account>(account: A): A {
  return account.lowBalance ? { ...account, lowBalance: false } : account;
}

/**
 * Judges the balance by a new threshold: one above the balance, or at it, is crossed, and one below it
 * arms the account again, or the next crossing would not be said.
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
 * Judges the balance once, after all that a movement posted; the last entry is the cause. What took
 * credits may cross. A grant takes nothing, so where nothing else was posted it crosses nothing: only
 * an account that was said to be low is said again.
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
