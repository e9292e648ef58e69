import type { Entry, Instant, Lot } from "../line/account.ts";
import { judgeBalance, type LowBalance } from "../line/low-balance.ts";
import type { Catalogue } from "../offer/catalogue.ts";
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

/** A book after a movement, and what the movement posted. */
export interface Settlement extends AccountBook {
  readonly entries: readonly Entry[];
  /** New lots, as they stand at the end; they are among `lots` too. */
  readonly granted: readonly GrantedLot[];
  readonly changes: readonly SubscriptionChange[];
  /** Fees that fell due, in that order. */
  readonly fees: readonly Fee[];
  readonly lowBalance: LowBalance | null;
}

/**
 * Posts what has fallen due on an account: turns of the month, expiries, the turns' add-on charges.
 * Settling is one movement: the balance is judged after all of it.
 *
 * The order is the one in which all of it could first be posted, so that it does not depend on how
 * often an account was settled: a turn at its instant, what waits for usage a grace later, and last
 * what only this account's own usage has made due. Of two at once the turn comes first.
 */
export function settle(book: AccountBook, catalogue: Catalogue, upto: Upto): Settlement {
  let moving: Moving = { ...book, entries: [], granted: [], changes: [], fees: [] };
  for (let due = nextPosting(book, upto); due !== null; due = nextPosting(moving, upto)) {
    moving = post(moving, due, catalogue);
  }
  return finishMovement(moving, moving);
}

/** What a movement has posted. */
type Posted = Pick<Settlement, "entries" | "granted" | "changes" | "fees">;

/** Ends a movement: tells when the account is due next, and judges its balance once. */
export function finishMovement(
  book: AccountBook,
  { entries = [], granted = [], changes = [], fees = [] }: Partial<Posted>,
): Settlement {
  const { lots, schedule } = book;
  const judged = judgeBalance(withDueInstants(book), entries);
  return {
    ...judged,
    lots,
    schedule,
    entries,
    granted: atCurrentStretches(granted, lots),
    changes,
    fees,
  };
}

/** Lots granted in a movement, where they stand after it. */
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

/** A turn cannot be refused, so where the line is all but full its lot is as large as fits, or none. */
function postLot(moving: Moving, asked: NewLot): Moving {
  const added = addLotThatFits(moving.account, asked);
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

/** Nor can a charge of a turn be refused: it draws as far as the line reaches. */
function postCharge(moving: Moving, charge: DueCharge): Moving {
  const dueCharges = moving.schedule.dueCharges.filter((other) => other !== charge);
  const charged = { ...moving, schedule: { ...moving.schedule, dueCharges } };
  const most = mostToDraw(moving.account);
  const credits = charge.credits < most ? charge.credits : most;
  if (credits === 0n) return charged;
  const { account, entry } = chargeAddOn(moving.account, { ...charge, owed: 0, credits });
  return { ...charged, account, entries: [...moving.entries, entry] };
}
