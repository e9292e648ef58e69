import type { Place } from "../core/history/verify-usage.ts";
import type { ChargeProblem } from "../core/payments/match-charge.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { formatMoney } from "../core/text/money.ts";
import type { PublishedEntry } from "../ledger/proof/verify-published.ts";
import type { Found, PlacedDifference } from "./difference.ts";

const PROBLEMS: Readonly<Record<ChargeProblem, string>> = {
  no_payment: "which is missing from the books",
  not_paid: "which is not marked as paid in the books",
  paid_by_another: "which was paid by another charge according to the books",
  other_amount: "which has another amount in the books",
};

/** States in one sentence what differs. */
export function describeDifference(found: Found): string {
  if ("event" in found || "record" in found) return describeRecordDifference(found);
  switch (found.kind) {
    case "not_kept":
      return `message ${placeOf(found.place)} cannot be metered, and there is no dead letter for it`;
    case "missing_entry":
      return `entry ${found.sequence} is missing${found.published === null ? "" : ` (${entryText(found.published)})`}${found.isCounted ? "" : ", and the account has never counted it: the record is forged, or the books were restored from a backup"}${contradiction(found)}`;
    case "other_entry":
      return `entry ${found.published.sequence} is ${entryText(found.inBooks)} in the books, but was published as ${entryText(found.published)}${contradiction(found)}`;
    case "not_told":
      return `records ${found.from} to ${found.to} were not published on ${found.topic} and are not in the outbox`;
    case "unreadable_record":
      return `record ${placeOf(found)} of ${found.topic} cannot be read: ${found.problem}`;
    case "balance_not_told":
      return "the newest balance was not published on billing.balances";
    case "balance_overtaken":
      return `billing.balances ends with ${found.version === 0n ? "a record that cannot be read" : `version ${found.version}`}, and the account is at ${found.inBooks}, which was published before: compaction keeps the last`;
    case "balance_ahead":
      return `billing.balances has version ${found.version}, and the account is at ${found.inBooks}: the record is forged, or the books were restored from a backup`;
    case "position_moved":
      return `position is ${formatCredits(found.by)} credits ahead of the sum of usage and entries`;
    case "missing_lot":
      return `lot ${found.lotId} of ${formatCredits(found.credits)} credits, granted by entry ${found.sequence}, is missing`;
    case "ungranted_top_up":
      return `top-up ${found.paymentId} was paid, but its ${formatCredits(found.credits)} credits were never granted`;
    case "unmatched_charge":
      return `charge ${found.gatewayPayment} of ${formatMoney(found.amount, found.currency)} ${found.currency} at the gateway is for payment ${found.paymentId}, ${PROBLEMS[found.problem]}${found.problem === "no_payment" && found.restorable ? "; its top-up comes back by itself" : ""}`;
    case "broken_invariant":
      return `an invariant is broken: ${found.holds}. ${found.means}`;
  }
}

function describeRecordDifference(found: PlacedDifference): string {
  switch (found.kind) {
    case "missing_record":
      return `event ${found.event.eventId} (${placeOf(found.event)}) of ${formatCredits(found.credits)} credits has no record${found.onLine === null ? " and was never charged" : ", although it was charged"}`;
    case "extra_record":
      return `record ${found.record.eventId} of ${formatCredits(found.record.credits)} credits has no event${found.isDrawn ? "" : " and was never charged"}`;
    case "other_price":
      return `event ${found.record.eventId} costs ${found.credits === null ? "an unknown number of" : formatCredits(found.credits)} credits, but its record has ${formatCredits(found.record.credits)}`;
    case "other_content":
      return `record ${found.record.eventId} differs from its event (${placeOf(found.event)})`;
    case "other_account":
      return `event ${found.event.eventId} (${placeOf(found.event)}) is recorded on account ${found.record.accountId}`;
  }
}

function contradiction({ isContradicted }: { readonly isContradicted: boolean }): string {
  return isContradicted ? "; another record of it on billing.credits says otherwise" : "";
}

function entryText({ kind, credits }: PublishedEntry): string {
  return `${kind} of ${formatCredits(credits)} credits`;
}

function placeOf({ partition, offset }: Place): string {
  return `${partition}/${offset}`;
}
