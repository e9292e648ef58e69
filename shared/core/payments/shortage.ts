import type { Instant } from "../line/account.ts";
import { nextTurn } from "../month/account-book.ts";
import type { Schedule } from "../month/subscription.ts";
import { amountsOf } from "./auto-top-up.ts";
import { type LimitContext, leftOf } from "./tighter-limit.ts";

export const WHY_SHORT = [
  "no_credits",
  "top_up_under_way",
  "top_up_paused",
  "top_up_at_limit",
  "top_up_stopped",
] as const;

/** Why an account has too few credits, and when that may change by itself. */
export interface Shortage {
  readonly why: (typeof WHY_SHORT)[number];
  /** When auto top-up tries again; null: not by itself, or as soon as it needs to. */
  readonly topUpAt: Instant | null;
  /** The next turn of the month, which brings credits; null: none will. */
  readonly nextCreditsAt: Instant | null;
}

/** What a shortage is explained by. */
export interface ShortAccount extends LimitContext {
  readonly schedule: Schedule;
  readonly hasMethod: boolean;
  /** A top-up is pending. */
  readonly inFlight: boolean;
}

/** Explains why an account has too few credits. */
export function shortageOf(short: ShortAccount): Shortage {
  const { subscription } = short.schedule;
  const brings = subscription !== null && subscription.withheld === null;
  const turn = brings && !endsWithIt(subscription) ? nextTurn(short.schedule) : null;
  return { ...topUpOf(short), nextCreditsAt: turn?.at ?? null };
}

/** True for a subscription that is cancelled and ends with the current period. */
function endsWithIt({ cancelled, paidUntil, period }: NonNullable<Schedule["subscription"]>) {
  return cancelled && paidUntil === period + 1;
}

function topUpOf(short: ShortAccount): Pick<Shortage, "why" | "topUpAt"> {
  const { auto, hasMethod, inFlight, now } = short;
  if (inFlight) return { why: "top_up_under_way", topUpAt: null };
  if (!auto.enabled) return { why: "no_credits", topUpAt: null };
  if (auto.stopped !== null || !hasMethod) return { why: "top_up_stopped", topUpAt: null };
  const tighter = leftOf(short);
  if (tighter.left < amountsOf(auto, short).amount) {
    return { why: "top_up_at_limit", topUpAt: tighter.until };
  }
  const isPaused = auto.pausedUntil !== null && auto.pausedUntil > now;
  return isPaused
    ? { why: "top_up_paused", topUpAt: auto.pausedUntil }
    : { why: "no_credits", topUpAt: null };
}
