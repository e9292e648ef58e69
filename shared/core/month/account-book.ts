import type { Account, Instant, Lot } from "../line/account.ts";
import { type Expiry, GRACE_MS, nextExpiry } from "./expiry.ts";
import type { DueCharge, Schedule, Subscription } from "./subscription.ts";

/** What settling reads of an account. */
export interface AccountBook {
  readonly account: Account;
  /** Those that end ahead of its position, oldest first, including withdrawn ones. */
  readonly lots: readonly Lot[];
  readonly schedule: Schedule;
}

/** Something that falls due on an account, and when. */
export type Due =
  | { readonly kind: "turn"; readonly at: Instant; readonly subscription: Subscription }
  | Expiry
  | { readonly kind: "charge"; readonly at: Instant; readonly charge: DueCharge };

/** True when something on the account may be due at `clock`. */
export function isDue(account: Pick<Account, "nextDueAt">, clock: Instant): boolean {
  return account.nextDueAt !== null && account.nextDueAt <= clock;
}

/** True when a turn is due at `clock`. */
export function isTurnDue({ subscription }: Schedule, clock: Instant): boolean {
  return subscription !== null && subscription.nextPeriodAt <= clock;
}

/** When something is next due on the account; null: nothing will be. */
export function nextDueAt(book: AccountBook): Instant | null {
  const turn = nextTurn(book.schedule);
  const waiting = nextWaiting(book);
  return earlier(turn?.at ?? null, waiting?.at ?? null);
}

/** When time alone makes something due: a turn, or a grace after what waits for usage. */
function nextSettleAt(book: AccountBook): Instant | null {
  const turn = nextTurn(book.schedule);
  const waiting = nextWaiting(book);
  return earlier(turn?.at ?? null, waiting === null ? null : waiting.at + GRACE_MS);
}

/** The book's account with its due instants brought up to date. */
export function withDueInstants(book: AccountBook): Account {
  const { account } = book;
  const [dueAt, settleAt] = [nextDueAt(book), nextSettleAt(book)];
  if (dueAt === account.nextDueAt && settleAt === account.settleAt) return account;
  return { ...account, nextDueAt: dueAt, settleAt };
}

/** The earlier of two instants; null is never. */
export function earlier(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** The next turn of the month. */
export function nextTurn({ subscription }: Schedule): Due | null {
  return subscription && { kind: "turn", at: subscription.nextPeriodAt, subscription };
}

/** The expiry or charge that is due next. Of two at the same instant, the expiry comes first. */
export function nextWaiting({ account, lots, schedule }: AccountBook): Due | null {
  const expiry = nextExpiry(lots, account);
  const charge = nextToCharge(schedule.dueCharges);
  if (expiry === null || charge === null) return expiry ?? charge;
  return expiry.at <= charge.at ? expiry : charge;
}

/** The charge that is due first; of two at the same instant, by add-on. */
function nextToCharge(charges: readonly DueCharge[]): Due | null {
  let first: DueCharge | null = null;
  for (const charge of charges) {
    if (
      first === null ||
      charge.dueAt < first.dueAt ||
      (charge.dueAt === first.dueAt && charge.addOnId < first.addOnId)
    ) {
      first = charge;
    }
  }
  return first && { kind: "charge", at: first.dueAt, charge: first };
}
