import type { CreditLine, MicroCredits, Stretch } from "./credit-line.ts";

declare const accountId: unique symbol;

/** An account's id: 1 to 256 characters of well-formed text. Made by `toAccountId`. */
export type AccountId = string & { readonly [accountId]: true };

/** Milliseconds since 1970-01-01T00:00Z. */
export type Instant = number;

/** The account row: all that a movement needs to know, so that metering reads neither lots nor schedules. */
export interface Account extends CreditLine {
  readonly accountId: AccountId;
  /** Raised by every transaction on the account. */
  readonly version: bigint;
  /** A balance that falls to it is low. */
  readonly threshold: MicroCredits;
  /** True from a low balance being said until a grant lifts the balance above the threshold. */
  readonly lowBalance: boolean;
  /** How many low balances were said. */
  readonly crossings: bigint;
  /** How many entries were posted; the last one's sequence. */
  readonly entries: bigint;
  /** IANA name. */
  readonly timeZone: string;
  /** Before this instant there is nothing to settle. */
  readonly nextDueAt: Instant | null;
  /** When the clock alone makes something due: a turn of the month, or what waits for usage and its grace. */
  readonly settleAt: Instant | null;
}

/** Credits added at once, from one source. */
export interface Lot extends Stretch {
  readonly lotId: string;
  /** Null: it never expires. */
  readonly expiresAt: Instant | null;
}

type EntryKind = "grant" | "expiry" | "add_on_charge" | "adjustment" | "reversal";

/** A posted movement that is not usage, with the state of the line right after it. */
export interface Entry {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly sequence: bigint;
  readonly kind: EntryKind;
  /** Signed: what it did to the balance. */
  readonly credits: MicroCredits;
  readonly granted: MicroCredits;
  readonly position: MicroCredits;
  readonly lotId: string | null;
  readonly reference: string;
  /** When it fell due. */
  readonly dueAt: Instant;
}
