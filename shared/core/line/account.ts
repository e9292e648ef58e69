import type { CreditLine, MicroCredits, Stretch } from "./credit-line.ts";

declare const accountId: unique symbol;

/** An account's id: 1 to 256 characters of well-formed text. Made by `toAccountId`. */
export type AccountId = string & { readonly [accountId]: true };

/** Milliseconds since 1970-01-01T00:00Z. */
export type Instant = number;

/** The account row. It has all that metering needs, which therefore reads neither lots nor schedules. */
export interface Account extends CreditLine {
  readonly accountId: AccountId;
  /** Raised by every transaction that moves the line or changes a setting. */
  readonly version: bigint;
  /** The balance is low at or below it. */
  readonly threshold: MicroCredits;
  /** True from a low balance until a grant lifts the balance above the threshold. */
  readonly lowBalance: boolean;
  /** The number of low balances published. */
  readonly crossings: bigint;
  /** The last crossing that left no need of credits: auto top-up waits after it. Null: none. */
  readonly waitingCrossing: bigint | null;
  /** The number of entries posted: the last one's sequence. */
  readonly entries: bigint;
  /** IANA name. */
  readonly timeZone: string;
  /** Nothing is due before this instant. Null: nothing will be. */
  readonly nextDueAt: Instant | null;
  /** The end of the last lot whose expiry was posted: usage from before may get it back. Null: none. */
  readonly expiredUntil: Instant | null;
  /** Its usage of the newest hour that has any, as `usage/open-spend.ts` writes it. Null: none. */
  readonly spent: string | null;
  /** When time alone makes something due: a turn, or a grace after what waits for usage. */
  readonly settleAt: Instant | null;
  /** The sum of what its open holds set aside. Holds change it, and leave the version as it is. */
  readonly held: MicroCredits;
  /** The number of changes of holds published: the last one's sequence. */
  readonly holdChanges: bigint;
  /** What is counted for its budgets, as `budgets/counted.ts` reads it. Null: it has no budgets. */
  readonly budgets: string | null;
  /** How far below zero holds and allowances may go. Null: the default. */
  readonly overdraft: MicroCredits | null;
  /** Where its line next reaches a level that it asks to be told of. Null: it has no alerts. */
  readonly alertAt: MicroCredits | null;
}

/** Credits added together, from one source. */
export interface Lot extends Stretch {
  readonly lotId: string;
  /** Null: it never expires. */
  readonly expiresAt: Instant | null;
}

type EntryKind = "grant" | "expiry" | "add_on_charge" | "adjustment" | "reversal";

/** A posted change that is not usage, with the line right after it. */
export interface Entry {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly sequence: bigint;
  readonly kind: EntryKind;
  /** Signed: the change of the balance. */
  readonly credits: MicroCredits;
  readonly granted: MicroCredits;
  readonly position: MicroCredits;
  readonly lotId: string | null;
  readonly reference: string;
  /** When it fell due. */
  readonly dueAt: Instant;
  /** Who requested it; null or left out: nobody, it fell due or follows from a payment. */
  readonly postedBy?: string | null;
}

/**
 * The version of what an account shows, which every transaction on it raises: its line's, and one more for each
 * change of a hold. Both only grow, so of two states the one with the larger sum is newer.
 */
export function stateVersionOf({
  version,
  holdChanges,
}: Pick<Account, "version" | "holdChanges">): bigint {
  return version + holdChanges;
}
