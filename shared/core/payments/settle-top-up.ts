import type { Instant } from "../line/account.ts";
import { REFERENCE } from "../line/reference.ts";
import type { AccountBook } from "../month/account-book.ts";
import { endOfLot } from "../month/expiry.ts";
import { addLot, mostToGrant, toLot } from "../month/grant-credits.ts";
import { finishMovement, type Settlement } from "../month/settle.ts";
import { formatMoney } from "../text/money.ts";
import type { AutoTopUp, TopUpNotice } from "./auto-top-up.ts";
import { needsCredits, noticeOf } from "./decide-top-up.ts";
import { type Decline, declineReason } from "./decline.ts";
import { isAutomatic, type TopUp } from "./payment.ts";

const HOUR_MS = 60 * 60 * 1000;

/** How long auto top-up pauses after each declined payment in a row; after one more it stops. */
const WAITS_MS: readonly number[] = [HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];

/** The number of declined payments in a row after which auto top-up stops. */
export const MOST_DECLINES = WAITS_MS.length + 1;

/** What the outcome of a top-up changes, besides its own row. */
export interface TopUpOutcome {
  /** The grant of its lot; null: none. */
  readonly step: Settlement | null;
  readonly auto: AutoTopUp;
  /** Stored with the top-up. */
  readonly reason: string;
  readonly notices: readonly TopUpNotice[];
}

/**
 * A top-up was paid: grants its lot and ends a pause of auto top-up. A stop remains: only the customer
 * can end it (after a refund, say). `book` is settled up to `now`. Throws if the credits do not fit on
 * the line, which `decideAutoTopUp` and `decideManualTopUp` have checked.
 */
export function topUpSucceeded(
  topUp: TopUp,
  auto: AutoTopUp,
  book: AccountBook,
  now: Instant,
): TopUpOutcome {
  const { accountId, timeZone } = book.account;
  if (topUp.credits > mostToGrant(book.account)) {
    throw new Error(`account ${accountId} has no room for ${topUp.credits} micro-credits`);
  }
  const added = addLot(book.account, {
    lotId: REFERENCE.topUpLot.write(topUp),
    credits: topUp.credits,
    source: "top_up",
    reference: `${formatMoney(topUp.amount, topUp.currency)} ${topUp.currency}`,
    grantedAt: now,
    expiresAt: endOfLot(topUp.life, now, timeZone),
  });
  const after = {
    ...book,
    account: added.account,
    lots: [...book.lots, toLot(added.lot)],
  };
  const step = finishMovement(after, { entries: [added.entry], granted: [added.lot] });
  // Low balances published while this top-up was pending were ignored, so check again.
  const lookAt = needsCredits(step.account) ? now : null;
  return {
    step,
    auto: { ...auto, declines: 0, pausedUntil: null, lookAt },
    reason: "",
    notices: [noticeOf(topUp, "succeeded", "")],
  };
}

/**
 * A top-up was declined. After an automatic one, auto top-up pauses with growing waits; it stops if the
 * card cannot be charged any more, or after `MOST_DECLINES` in a row.
 */
export function topUpDeclined(
  topUp: TopUp,
  auto: AutoTopUp,
  decline: Decline,
  now: Instant,
): TopUpOutcome {
  const reason = declineReason(decline);
  const outcome = (changes: Partial<AutoTopUp>, ...notices: readonly TopUpNotice[]) => ({
    ...{ step: null, reason, auto: { ...auto, ...changes } },
    notices: [noticeOf(topUp, "failed", reason), ...notices],
  });
  // Auto top-up may have waited for one made by hand, and is not affected by its decline.
  if (!isAutomatic(topUp)) return outcome({ lookAt: now });
  const declines = auto.declines + 1;
  // It was stopped while the top-up was pending: no pause, and no next attempt.
  if (auto.stopped !== null) return outcome({ declines });
  const waitMs = decline.kind === "soft" ? WAITS_MS[declines - 1] : undefined;
  if (waitMs === undefined) {
    const stopped = `${reason} Auto top-up has stopped until you change the payment method or switch it on again.`;
    const changes = { declines, pausedUntil: null, stopped, lookAt: null };
    return outcome(changes, noticeOf(topUp, "stopped", stopped));
  }
  const until = now + waitMs;
  const paused = `${reason} The next try is at ${new Date(until).toISOString()}.`;
  const changes = { declines, pausedUntil: until, lookAt: until };
  return outcome(changes, noticeOf(topUp, "paused", paused));
}
