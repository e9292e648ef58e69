import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Database } from "../postgres/database.ts";
import { changeFreeHolds, changeHolds, type HoldAsked, type HoldOutcome } from "./change-holds.ts";

/** The most requests that one transaction decides. */
const MOST_AT_ONCE = 500;

interface Waiting {
  readonly asked: HoldAsked;
  readonly answer: (outcome: HoldOutcome) => void;
  readonly fail: (error: unknown) => void;
}

/** Decides on a request, and answers once it is durable. */
export type ChangeHold = (asked: HoldAsked) => Promise<HoldOutcome>;

/**
 * Decides the requests of a moment together: while a transaction is under way, those that come wait for the next
 * one, in their order. So many requests on one account cost one lock of its row, and none waits for a timer.
 * Requests about accounts that others have locked, or that must be settled, are decided in transactions of their
 * own, so that they hold up no others. `overdraft` is that of accounts without their own.
 */
export function gatherRequests(
  database: Database,
  now: () => Instant,
  overdraft: MicroCredits | null = null,
): ChangeHold {
  const later = openLane((asked) => changeHolds(database, asked, now(), overdraft));
  const first = openLane((asked) => changeFreeHolds(database, asked, now(), overdraft), later);
  return (asked) => new Promise((answer, fail) => first({ asked, answer, fail }));
}

/** Takes requests, and decides all that wait in one transaction after the other; what is null goes to `others`. */
function openLane(
  decide: (asked: readonly HoldAsked[]) => Promise<(HoldOutcome | null)[]>,
  others?: (request: Waiting) => void,
): (request: Waiting) => void {
  const waiting: Waiting[] = [];
  let isUnderWay = false;

  async function decideWaiting(): Promise<void> {
    isUnderWay = true;
    while (waiting.length > 0) await decideTogether(waiting.splice(0, MOST_AT_ONCE));
    isUnderWay = false;
  }

  async function decideTogether(gathered: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await decide(gathered.map(({ asked }) => asked));
      for (const [at, request] of gathered.entries()) {
        const outcome = outcomes[at] ?? null;
        if (outcome !== null) request.answer(outcome);
        else if (others !== undefined) others(request);
        else request.fail(new Error("a request about a hold has no outcome"));
      }
    } catch (error) {
      for (const { fail } of gathered) fail(error);
    }
  }

  return (request) => {
    waiting.push(request);
    if (!isUnderWay) void decideWaiting();
  };
}
