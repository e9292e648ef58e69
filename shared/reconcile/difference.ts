import type { RecordDifference, UsageDifference } from "../core/history/verify-usage.ts";
import type { AccountId, Instant } from "../core/line/account.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import type { UnmatchedCharge } from "../ledger/payments/charges-at-gateway.ts";
import type { MissingLot, MovedPosition, UngrantedTopUp } from "../ledger/proof/verify-books.ts";
import type { PublishedEntry } from "../ledger/proof/verify-published.ts";

/** What the books and the billing topics say differently. */
export type PublicationDifference =
  /** An entry that was told, and that the account's entries do not have. */
  | {
      readonly kind: "missing_entry";
      readonly accountId: AccountId;
      readonly sequence: bigint;
      /** What it said; null: the topic does not have it either. */
      readonly told: PublishedEntry | null;
    }
  /** An entry that says something else than what was told of it. */
  | {
      readonly kind: "other_entry";
      readonly accountId: AccountId;
      readonly told: PublishedEntry;
      readonly held: PublishedEntry;
    }
  /** Records, by their sequences, that are neither on the topic nor on their way there. */
  | {
      readonly kind: "not_told";
      readonly accountId: AccountId;
      readonly topic: string;
      readonly from: bigint;
      readonly to: bigint;
    }
  /** An account whose newest state is neither on `billing.balances` nor on its way there. */
  | { readonly kind: "balance_not_told"; readonly accountId: AccountId };

/** What does not fit together within the books. */
export type BooksDifference =
  | ({ readonly kind: "position_moved" } & MovedPosition)
  | ({ readonly kind: "missing_lot" } & MissingLot)
  | ({ readonly kind: "ungranted_top_up" } & UngrantedTopUp)
  /** Money taken at the gateway, of which the books say nothing, or something else. */
  | ({ readonly kind: "unmatched_charge" } & UnmatchedCharge)
  | {
      readonly kind: "broken_invariant";
      readonly accountId: string;
      readonly holds: string;
      readonly means: string;
    };

/** Something that topics and books say differently. */
export type Difference = UsageDifference | PublicationDifference | BooksDifference;

/** Where on its account's line an event stands: a transaction that committed says that it drew there. */
export interface OnLine {
  readonly start: MicroCredits;
  readonly drawnAt: Instant;
}

/** A difference of a record, and whether the line has what should be there, or what is there. */
export type PlacedDifference = RecordDifference & Placing;

interface Placing {
  /** Where the event drew exactly what it should have; null: it did not. */
  readonly onLine: OnLine | null;
  /** Whether the record that is there is named by a draw, so that its credits were taken. */
  readonly isDrawn: boolean;
}

/** A difference, and of a record where its event stands on the line. */
export type Found = Exclude<Difference, RecordDifference> | PlacedDifference;

/**
 * True where a record stays in the books as it is, because it was metered so: an entry that names the
 * difference answers it, and once it is posted there is none.
 */
export function isAnsweredByEntry(found: Found): boolean {
  if (!("record" in found) || !found.isDrawn) return false;
  return found.kind === "extra_record" ? found.record.credits > 0n : found.onLine === null;
}

/** Whose books a difference is in; null: nobody's. */
export function accountOf(difference: Difference): string | null {
  if ("accountId" in difference) return difference.accountId;
  return "event" in difference ? difference.event.accountId : difference.record.accountId;
}

/** All accounts in whose books a difference shows. */
export function accountsOf(difference: Difference): (string | null)[] {
  const account = accountOf(difference);
  return difference.kind === "other_account" ? [account, difference.record.accountId] : [account];
}

/** What identifies a difference: it is repaired once under it. */
export function idOf(difference: Difference): string {
  const { kind } = difference;
  switch (difference.kind) {
    case "missing_record":
      return `${kind}:${difference.event.eventId}`;
    case "not_kept":
      return `${kind}:${difference.place.partition}/${difference.place.offset}`;
    case "extra_record":
    case "other_price":
    case "other_content":
    case "other_account":
      return `${kind}:${difference.record.eventId}`;
    case "missing_entry":
      return `${kind}:${difference.sequence}`;
    case "other_entry":
      return `${kind}:${difference.told.sequence}`;
    case "not_told":
      return `${kind}:${difference.topic}:${difference.from}-${difference.to}`;
    case "balance_not_told":
      return kind;
    case "position_moved":
      return `${kind}:${difference.by}`;
    case "missing_lot":
      return `${kind}:${difference.lotId}`;
    case "ungranted_top_up":
      return `${kind}:${difference.paymentId}`;
    case "unmatched_charge":
      return `${kind}:${difference.gatewayPayment}`;
    case "broken_invariant":
      return `${kind}:${difference.holds}`;
  }
}
