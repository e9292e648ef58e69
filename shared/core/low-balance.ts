import type { Account, AccountId, Instant } from "./account.ts";
import { balanceOf, type MicroCredits } from "./credit-line.ts";

/** The balance has fallen to the threshold: said once for each downward crossing. */
export interface LowBalance {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly crossing: bigint;
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  /** `event:<event id>` or `entry:<sequence>`: what crossed. */
  readonly cause: string;
  readonly occurredAt: Instant;
}

/** True when a movement that took credits has brought an account, not yet said to be low, down to its threshold. */
export function hasCrossed(account: Account): boolean {
  return !account.lowBalance && balanceOf(account) <= account.threshold;
}

/** Says a low balance: the account as it is afterwards, and what to announce. */
export function sayLowBalance<A extends Account>(
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
