import type { Account, AccountId, Entry, Instant } from "./account.ts";
import { balanceOf, type MicroCredits } from "./credit-line.ts";
import { REFERENCE } from "./reference.ts";

/**
 * The balance has fallen to the threshold. Published once for each downward crossing, and once more when
 * credits are first needed after a crossing that left no need of them.
 */
export interface LowBalance {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly crossing: bigint;
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  /** What caused it: `event:<event id>`, `entry:<sequence>`, or `threshold` when that was raised. */
  readonly cause: string;
  readonly occurredAt: Instant;
  /** False: nothing needs credits yet, so auto top-up waits (`waitsForNeed`). */
  readonly needed: boolean;
}

/** True for a valid threshold, in micro-credits. It is not below 0: debt is always low. */
export function isThreshold(threshold: MicroCredits): boolean {
  return threshold >= 0n;
}

/** True for an armed account at or below its threshold. */
export function hasCrossed(account: Account): boolean {
  return !account.lowBalance && balanceOf(account) <= account.threshold;
}

/**
 * True for a low account that nothing has needed credits of: only expiries, deductions or withdrawals
 * brought it down. Auto top-up waits until usage or an add-on needs credits, which is published as a
 * crossing of its own. Source: design, "Auto top-up".
 */
export function waitsForNeed(account: Account): boolean {
  return account.lowBalance && account.waitingCrossing === account.crossings;
}

/** Records a low balance: returns the account afterwards, and what to publish. */
export function recordLowBalance<A extends Account>(
  account: A,
  crossed: Pick<LowBalance, "cause" | "occurredAt" | "needed">,
): { account: A; lowBalance: LowBalance } {
  const { accountId, threshold } = account;
  const crossing = account.crossings + 1n;
  const waitingCrossing = crossed.needed ? account.waitingCrossing : crossing;
  return {
    account: { ...account, lowBalance: true, crossings: crossing, waitingCrossing },
    lowBalance: { accountId, crossing, balance: balanceOf(account), threshold, ...crossed },
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
    : recordLowBalance(account, { cause: "threshold", occurredAt: at, needed: true });
}

/**
 * Compares the balance with the threshold once per movement. Only entries that take credits can cross
 * the threshold. If the account is low already, a grant publishes it again unless it lifts the balance
 * above the threshold, and so does the first need of credits. The cause is the entry that needs them, or
 * else the last one.
 */
export function judgeBalance(
  account: Account,
  entries: readonly Entry[],
): { account: Account; lowBalance: LowBalance | null } {
  const last = entries.at(-1);
  const { needed, by } = needAfter(account, entries);
  const counts = account.lowBalance
    ? entries.some(({ kind }) => kind === "grant") || (needed && waitsForNeed(account))
    : entries.some(({ credits }) => credits < 0n);
  if (last === undefined || !counts) return { account, lowBalance: null };
  const armed = rearm(account);
  if (!hasCrossed(armed)) return { account: armed, lowBalance: null };
  const entry = by ?? last;
  const cause = REFERENCE.entryCause.write(entry);
  return recordLowBalance(armed, { cause, occurredAt: entry.dueAt, needed });
}

/**
 * Whether credits are needed after a movement's entries: one of them needs some while the balance is low,
 * or they were needed before, and no entry has lifted the balance above the threshold since. Entry by
 * entry, so that it does not depend on which entries are one movement. `by`: the entry that needs them.
 */
function needAfter(
  account: Account,
  entries: readonly Entry[],
): { readonly needed: boolean; readonly by: Entry | null } {
  let needed = account.lowBalance && !waitsForNeed(account);
  let by: Entry | null = null;
  for (const entry of entries) {
    const isLow = balanceOf(entry) <= account.threshold;
    if (!isLow) [needed, by] = [false, null];
    else if (needsCredits(entry)) [needed, by] = [true, entry];
  }
  return { needed, by };
}

/** True for an add-on's charge, and for credits already spent whose top-up was refunded. */
function needsCredits({ kind, credits }: Entry): boolean {
  return kind === "add_on_charge" || (kind === "reversal" && credits < 0n);
}
