import type { Entry, Instant, Lot } from "../line/account.ts";
import { remainingOf } from "../line/credit-line.ts";
import { judgeBalance, type LowBalance } from "../line/low-balance.ts";
import { type Catalogue, EMPTY_CATALOGUE } from "../offer/catalogue.ts";
import {
  type AccountBook,
  type Due,
  nextTurn,
  nextWaiting,
  withDueInstants,
} from "./account-book.ts";
import { chargeAddOn, mostToDraw } from "./add-on-charge.ts";
import { GRACE_MS, postExpiry, type Upto } from "./expiry.ts";
import type { Fee } from "./fee.ts";
import { addLotThatFits, type GrantedLot, type NewLot, toLot } from "./grant-credits.ts";
import type { DueCharge, Subscription, SubscriptionChange } from "./subscription.ts";
import { turnMonth } from "./turn-of-month.ts";

/** A book after a movement, and what it posted. */
export interface Settlement extends AccountBook {
  readonly entries: readonly Entry[];
  /** New lots, in their final state; `lots` has them too. */
  readonly granted: readonly GrantedLot[];
  readonly changes: readonly SubscriptionChange[];
  /** Fees that fell due, in order. */
  readonly fees: readonly Fee[];
  readonly lowBalance: LowBalance | null;
}

/**
 * Posts everything that is due on an account: turns, expiries, add-on charges. It is one movement, so
 * the balance is compared with the threshold once, at the end.
 *
 * Postings are ordered by when each could first be posted, so that the order does not depend on how
 * often an account is settled: a turn at its instant, an expiry or charge a grace later, and last what
 * only the account's own usage has made due. Of two at the same instant the turn comes first.
 */
export function settle(book: AccountBook, catalogue: Catalogue, upto: Upto): Settlement {
  let moving: Moving = { ...book, entries: [], granted: [], changes: [], fees: [] };
  for (let due = nextPosting(book, upto); due !== null; due = nextPosting(moving, upto)) {
    moving = post(moving, due, catalogue);
  }
  return finishMovement(moving, moving);
}

/**
 * Posts the expiries of the lots that have ended by `now` and still have credits, and the charges that
 * waited before them: what is charged immediately must not draw on such a lot. Usage from before still
 * gets the expiries back (late-usage.ts). The book is settled up to `now`. Source: design, "Add-ons".
 */
export function settleEnded(book: AccountBook, now: Instant): Settlement {
  const { account, lots } = book;
  const ends = lots.flatMap(({ expiresAt, ...lot }) =>
    expiresAt !== null && expiresAt <= now && remainingOf(lot, account.position) > 0n
      ? [expiresAt]
      : [],
  );
  const usage = Math.max(Number.NEGATIVE_INFINITY, ...ends);
  return settle(book, EMPTY_CATALOGUE, { clock: usage, usage, completeUntil: null });
}

/** What a movement posted. */
type Posted = Pick<Settlement, "entries" | "granted" | "changes" | "fees">;

/** Ends a movement: updates the due instants and compares the balance with the threshold. */
export function finishMovement(
  book: AccountBook,
  { entries = [], granted = [], changes = [], fees = [] }: Partial<Posted>,
): Settlement {
  const { lots, schedule } = book;
  const posted = { entries, granted: atCurrentStretches(granted, lots), changes, fees };
  return { ...judgeBalance(withDueInstants(book), entries), lots, schedule, ...posted };
}

/** Lots granted in a movement, with the stretches that they have after it. */
export function atCurrentStretches(
  granted: readonly GrantedLot[],
  lots: readonly Lot[],
): GrantedLot[] {
  return granted.map((lot) => {
    const { start, end } = lots.find(({ lotId }) => lotId === lot.lotId) ?? lot;
    return { ...lot, start, end };
  });
}

interface Moving extends AccountBook, Posted {}

function nextPosting(book: AccountBook, { clock, usage, completeUntil }: Upto): Due | null {
  const turn = upTo(clock, nextTurn(book.schedule));
  const waiting = upTo(usage, nextWaiting(book));
  if (turn === null || waiting === null) return turn ?? waiting;
  const isComplete = completeUntil !== null && waiting.at <= completeUntil;
  return isComplete && waiting.at + GRACE_MS < turn.at ? waiting : turn;
}

function upTo(instant: Instant, due: Due | null): Due | null {
  return due !== null && due.at <= instant ? due : null;
}

function post(moving: Moving, due: Due, catalogue: Catalogue): Moving {
  switch (due.kind) {
    case "turn":
      return postTurn(moving, due.subscription, catalogue);
    case "expiry": {
      const { entry, ...expired } = postExpiry(moving.account, moving.lots, due);
      return { ...moving, ...expired, entries: [...moving.entries, entry] };
    }
    case "charge":
      return postCharge(moving, due.charge);
  }
}

function postTurn(moving: Moving, subscription: Subscription, catalogue: Catalogue): Moving {
  const { account, schedule } = moving;
  const turn = turnMonth(schedule, subscription, catalogue, account.timeZone);
  const turned = {
    ...moving,
    schedule: turn.schedule,
    changes: [...moving.changes, ...turn.changes],
    fees: [...moving.fees, ...turn.fees],
  };
  return turn.lot === null ? turned : postLot(turned, turn.lot);
}

/** A turn cannot be refused, so on a line that is almost full its lot is cut to what fits. */
function postLot(moving: Moving, newLot: NewLot): Moving {
  const added = addLotThatFits(moving.account, newLot);
  if (added === null) return moving;
  const { account, lot, entry } = added;
  return {
    ...moving,
    account,
    lots: [...moving.lots, toLot(lot)],
    granted: [...moving.granted, lot],
    entries: [...moving.entries, entry],
  };
}

/** A turn's charge cannot be refused either: it draws as far as the line reaches. */
function postCharge(moving: Moving, charge: DueCharge): Moving {
  const dueCharges = moving.schedule.dueCharges.filter((other) => other !== charge);
  const charged = { ...moving, schedule: { ...moving.schedule, dueCharges } };
  const most = mostToDraw(moving.account);
  const credits = charge.credits < most ? charge.credits : most;
  if (credits === 0n) return charged;
  const { account, entry } = chargeAddOn(moving.account, { ...charge, owed: 0, credits });
  return { ...charged, account, entries: [...moving.entries, entry] };
}
