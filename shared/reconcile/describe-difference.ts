import type { ChargeProblem } from "../core/payments/match-charge.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { formatMoney } from "../core/text/money.ts";
import type { ReceivedEvent } from "../core/usage/usage-event.ts";
import type { Found, PlacedDifference } from "./difference.ts";

const PROBLEMS: Readonly<Record<ChargeProblem, string>> = {
  no_payment: "which the books do not have",
  not_paid: "which the books say was not paid",
  paid_by_another: "which the books say was paid by another charge",
  other_amount: "which is of another amount in the books",
};

/** What differs, in a sentence. */
export function describeDifference(found: Found): string {
  if ("event" in found || "record" in found) return sentenceOfRecord(found);
  switch (found.kind) {
    case "not_kept":
      return `message ${found.place.partition}/${found.place.offset} cannot be metered and is not kept as a dead letter`;
    case "missing_entry":
      return `entry ${found.sequence} is missing${found.told === null ? "" : ` (${found.told.kind} of ${formatCredits(found.told.credits)} credits)`}`;
    case "other_entry":
      return `entry ${found.told.sequence} says ${found.held.kind} of ${formatCredits(found.held.credits)} credits, but ${found.told.kind} of ${formatCredits(found.told.credits)} was told`;
    case "not_told":
      return `records ${found.from} to ${found.to} are neither on ${found.topic} nor on their way`;
    case "balance_not_told":
      return "its newest balance is neither on billing.balances nor on its way";
    case "position_moved":
      return `its position is ${formatCredits(found.by)} credits ahead of all that was drawn`;
    case "missing_lot":
      return `lot ${found.lotId} of ${formatCredits(found.credits)} credits is missing, granted by entry ${found.sequence}`;
    case "ungranted_top_up":
      return `top-up ${found.paymentId} was paid and its ${formatCredits(found.credits)} credits never granted`;
    case "unmatched_charge":
      return `charge ${found.gatewayPayment} took ${formatMoney(found.amount, found.currency)} ${found.currency} at the gateway for payment ${found.paymentId}, ${PROBLEMS[found.problem]}`;
    case "broken_invariant":
      return `does not hold: ${found.holds}. ${found.means}`;
  }
}

function sentenceOfRecord(found: PlacedDifference): string {
  switch (found.kind) {
    case "missing_record":
      return `event ${found.event.eventId} (${placeOf(found.event)}) of ${formatCredits(found.credits)} credits has no record${found.onLine === null ? " and was never drawn" : ", though it was drawn"}`;
    case "extra_record":
      return `record ${found.record.eventId} of ${formatCredits(found.record.credits)} credits has no event${found.isDrawn ? "" : " and was never drawn"}`;
    case "other_price":
      return `event ${found.record.eventId} costs ${found.credits === null ? "nothing that is known" : formatCredits(found.credits)}, but its record says ${formatCredits(found.record.credits)}`;
    case "other_content":
      return `record ${found.record.eventId} says something else than its event (${placeOf(found.event)})`;
    case "other_account":
      return `event ${found.event.eventId} (${placeOf(found.event)}) is recorded on account ${found.record.accountId}`;
  }
}

function placeOf({ partition, offset }: ReceivedEvent): string {
  return `${partition}/${offset}`;
}
