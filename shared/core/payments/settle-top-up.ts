import type { Instant } from "../line/account.ts";
import { REFERENCE } from "../line/reference.ts";
import type { AccountBook } from "../month/account-book.ts";
import { endOfLot } from "../month/expiry.ts";
import { addLot, mostToGrant, toLot } from "../month/grant-credits.ts";
import { finishMovement, type Settlement } from "../month/settle.ts";
import { formatMoney } from "../text/money.ts";
import type { AutoTopUp, TopUpNotice } from "./auto-top-up.ts";
import { isLow, noticeOf } from "./decide-top-up.ts";
import { type Decline, declineReason } from "./decline.ts";
import { isAutomatic, type TopUp } from "./payment.ts";

const HOUR_MS = 60 * 60 * 1000;

/** How long auto top-up waits after the first, the second, ... declined payment in a row. After one more it stops. */
const WAITS_MS: readonly number[] = [HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];

/** Payments in a row that may be declined before auto top-up stops. */
export const MOST_DECLINES = WAITS_MS.length + 1;

/** What the outcome of a top-up does beside its own row. */
export interface TopUpOutcome {
  /** The lot that it brings; null: none. */
  readonly step: Settlement | null;
  readonly auto: AutoTopUp;
  /** Of the top-up itself, for whoever asks later. */
  readonly reason: string;
  readonly notices: readonly TopUpNotice[];
}

/**
 * A top-up was paid: its lot goes to the end of the line, debt is repaid by the same step, and a pause
 * of auto top-up is over. What has stopped it stays: money that went back meanwhile, say, which only
 * the customer can answer. `book` is settled up to `now`. Throws when the line has no room, which was
 * seen to when the top-up was made.
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
  // Whatever is low still is looked at once more: a low balance said while this was in flight passed by.
  const lookAt = isLow(step.account) ? now : null;
  return {
    step,
    auto: { ...auto, declines: 0, pausedUntil: null, lookAt },
    reason: "",
    notices: [noticeOf(topUp, "succeeded", "")],
  };
}

/**
 * A top-up was declined. After an automatic one auto top-up pauses with growing waits, and stops where
 * the card will not do any more, or after `MOST_DECLINES` in a row; stopped already, it stays so.
 */
export function topUpDeclined(
  topUp: TopUp,
  auto: AutoTopUp,
  decline: Decline,
  now: Instant,
): TopUpOutcome {
  const reason = declineReason(decline);
  const failed = noticeOf(topUp, "failed", reason);
  // One made by hand says nothing of auto top-up, which may have waited for it.
  if (!isAutomatic(topUp)) {
    return { step: null, auto: { ...auto, lookAt: now }, reason, notices: [failed] };
  }
  const declines = auto.declines + 1;
  // Money went back while it was in flight: there is nothing to pause, and no next try.
  if (auto.stopped !== null) {
    return { step: null, auto: { ...auto, declines }, reason, notices: [failed] };
  }
  const waitMs = decline.kind === "soft" ? WAITS_MS[declines - 1] : undefined;
  if (waitMs === undefined) {
    const stopped = `${reason} Auto top-up has stopped until you change the payment method or switch it on again.`;
    return {
      ...{ step: null, reason },
      auto: { ...auto, declines, pausedUntil: null, stopped, lookAt: null },
      notices: [failed, noticeOf(topUp, "stopped", stopped)],
    };
  }
  const until = now + waitMs;
  const paused = `${reason} The next try is at ${new Date(until).toISOString()}.`;
  return {
    ...{ step: null, reason },
    auto: { ...auto, declines, pausedUntil: until, lookAt: until },
    notices: [failed, noticeOf(topUp, "paused", paused)],
  };
}
