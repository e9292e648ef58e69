import { createHash } from "node:crypto";
import type { RecordDifference, UsageDifference } from "../core/history/verify-usage.ts";
import type { AccountId, Instant } from "../core/line/account.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import type { EventName } from "../core/usage/usage-event.ts";
import type { UnmatchedCharge } from "../ledger/payments/charges-at-gateway.ts";
import type { MissingLot, MovedPosition, UngrantedTopUp } from "../ledger/proof/verify-books.ts";
import type { PublishedEntry } from "../ledger/proof/verify-published.ts";

/** A difference between the books and the billing topics. */
export type PublicationDifference =
  /** A published or counted entry that is not in the books. */
  | {
      readonly kind: "missing_entry";
      readonly accountId: AccountId;
      readonly sequence: bigint;
      /** Null: the topic does not have it either. */
      readonly published: PublishedEntry | null;
      /** False: the account has never had as many entries, as where its books are of a backup. */
      readonly isCounted: boolean;
      /** The topic has another record of this sequence that says something else. */
      readonly isContradicted: boolean;
    }
  /** An entry that differs from its published record. */
  | {
      readonly kind: "other_entry";
      readonly accountId: AccountId;
      readonly published: PublishedEntry;
      readonly inBooks: PublishedEntry;
      /** As of a missing one. */
      readonly isContradicted: boolean;
    }
  /** A range of sequences whose records are neither on the topic nor in the outbox. */
  | {
      readonly kind: "not_told";
      readonly accountId: AccountId;
      readonly topic: string;
      readonly from: bigint;
      readonly to: bigint;
    }
  /** A record that no reader of its topic can use: it is not of the topic's schema, or has no sequence. */
  | {
      readonly kind: "unreadable_record";
      readonly accountId: AccountId;
      readonly topic: string;
      readonly partition: number;
      readonly offset: bigint;
      readonly problem: string;
    }
  /** An account whose newest state is neither on `billing.balances` nor about to be published. */
  | { readonly kind: "balance_not_told"; readonly accountId: AccountId }
  /** A record that is older, or cannot be read, follows the newest state on `billing.balances`. */
  | {
      readonly kind: "balance_overtaken";
      readonly accountId: AccountId;
      /** Of the last record; 0: it cannot be read. */
      readonly version: bigint;
      readonly inBooks: bigint;
    }
  /** A record on `billing.balances` is newer than the account: forged, or the books are of a backup. */
  | {
      readonly kind: "balance_ahead";
      readonly accountId: AccountId;
      readonly version: bigint;
      readonly inBooks: bigint;
    };

/** An inconsistency within the books. */
export type BooksDifference =
  | ({ readonly kind: "position_moved" } & MovedPosition)
  | ({ readonly kind: "missing_lot" } & MissingLot)
  | ({ readonly kind: "ungranted_top_up" } & UngrantedTopUp)
  /** A charge at the gateway that is missing from the books, or differs in them. */
  | ({ readonly kind: "unmatched_charge" } & UnmatchedCharge)
  | {
      readonly kind: "broken_invariant";
      readonly accountId: string;
      readonly holds: string;
      readonly means: string;
    };

export type Difference = UsageDifference | PublicationDifference | BooksDifference;

/** An event's stretch on its account's line, as what drew before and after it shows. */
export interface OnLine {
  readonly start: MicroCredits;
  /** What it cost, and each of its lines. */
  readonly credits: MicroCredits;
  readonly lineCredits: readonly MicroCredits[];
  /** What of its credits expired lots paid; it drew the rest from `start` on. */
  readonly givenBack: MicroCredits;
  /** Of the transaction that drew it, or of the one that drew before it. */
  readonly version: bigint;
  readonly drawnAt: Instant;
}

/** A difference in a record, with what the line of its account shows. */
export type PlacedDifference = RecordDifference & {
  /** Where the event drew exactly what it costs; null: it did not. */
  readonly onLine: OnLine | null;
  /** Whether the existing record has a stretch of the line to itself, so that the account paid for it. */
  readonly isDrawn: boolean;
};

/** A difference; one in a record comes with its place on the line. */
export type Found = Exclude<Difference, RecordDifference> | PlacedDifference;

/**
 * True where the wrong record stays in the books, because the account paid for it: an entry named after
 * the difference corrects the balance, and once it is posted the difference is no longer reported.
 */
export function isAnsweredByEntry(found: Found): boolean {
  if (!("record" in found) || !found.isDrawn) return false;
  return found.kind === "extra_record" ? found.record.credits > 0n : found.onLine === null;
}

/** The account that a difference is about; null: none is known. */
export function accountOf(difference: Difference): string | null {
  if ("accountId" in difference) return difference.accountId;
  return "event" in difference ? difference.event.accountId : difference.record.accountId;
}

/** All accounts that a difference is about. */
export function accountsOf(difference: Difference): (string | null)[] {
  const account = accountOf(difference);
  return difference.kind === "other_account" ? [account, difference.record.accountId] : [account];
}

/** Identifies a difference within its account. A repair is named after it, and so done once. */
export function idOf(difference: Difference): string {
  const { kind } = difference;
  switch (difference.kind) {
    case "missing_record":
      return `${kind}:${nameOf(difference.event)}`;
    case "not_kept":
      return `${kind}:${difference.place.partition}/${difference.place.offset}`;
    case "extra_record":
    case "other_price":
    case "other_content":
    case "other_account":
      return `${kind}:${nameOf(difference.record)}`;
    case "missing_entry":
      return `${kind}:${difference.sequence}`;
    case "other_entry":
      return `${kind}:${difference.published.sequence}`;
    case "not_told":
      return `${kind}:${difference.topic}:${difference.from}-${difference.to}`;
    case "unreadable_record":
      return `${kind}:${difference.topic}:${difference.partition}/${difference.offset}`;
    case "balance_not_told":
    case "balance_overtaken":
    case "balance_ahead":
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

/** An event's id, and a digest of its source where there is one: a source may be long. */
function nameOf({ eventId, source }: EventName): string {
  if (source === "") return eventId;
  return `${eventId}:${createHash("sha256").update(source).digest("hex").slice(0, 16)}`;
}

/** The id of a difference under versions that knew an event by its id alone; null: it has no other. */
export function formerIdOf(difference: Difference): string | null {
  if (!("record" in difference || "event" in difference)) return null;
  const { eventId } = "record" in difference ? difference.record : difference.event;
  return `${difference.kind}:${eventId}`;
}
