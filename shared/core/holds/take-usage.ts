import type { Account, Instant } from "../line/account.ts";
import { least, MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import { endIfUsedUp, expireHold, type Hold, heldBy } from "./hold.ts";

/** A hold of an account, and what the usage of a moment that names it costs. */
export interface HoldUsage {
  readonly hold: Hold;
  readonly credits: MicroCredits;
}

/** What usage makes of an account's holds. */
export interface UsedHolds {
  /** The holds that took usage, in their new states, and those that had run out of time. */
  readonly changes: readonly Hold[];
  /** What all open holds set aside afterwards. */
  readonly held: MicroCredits;
  /** The ids of those that took usage. */
  readonly used: readonly string[];
}

/**
 * Takes usage from an account's holds, each named once. A hold that has ended takes nothing, and what exceeds a hold is
 * drawn all the same: usage is metered whatever is held. Source: design, "Holds".
 */
export function takeUsage(
  account: Pick<Account, "held">,
  uses: readonly HoldUsage[],
  now: Instant,
): UsedHolds {
  const changes: Hold[] = [];
  const used: string[] = [];
  let { held } = account;
  for (const { hold, credits } of uses) {
    const open = expireHold(hold, now);
    const after = withUsage(open, credits, now);
    if (open.endedAt === null) used.push(hold.holdId);
    if (after === hold) continue;
    held += heldBy(after) - heldBy(hold);
    changes.push(after);
  }
  return { changes, held, used };
}

function withUsage(hold: Hold, credits: MicroCredits, now: Instant): Hold {
  if (hold.endedAt !== null || credits === 0n) return hold;
  return endIfUsedUp({ ...hold, used: least(hold.used + credits, MAX_BIGINT) }, now);
}
