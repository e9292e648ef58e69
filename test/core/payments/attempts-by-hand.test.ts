/**
 * Attempts to pay by hand are bounded per account and hour, whatever came of them.
 */
import { expect, test } from "vitest";
import { refuseAttempt } from "../../../shared/core/payments/attempts-by-hand.ts";
import { NOON } from "../../support/core/examples.ts";

const MINUTE = 60_000;
const ago = (...minutes: number[]) => minutes.map((count) => NOON - count * MINUTE);

test.each<{ attempts: number[]; most: number; waitMs: number | null }>([
  { attempts: [], most: 1, waitMs: null },
  { attempts: ago(0), most: 2, waitMs: null },
  { attempts: ago(0, 0), most: 2, waitMs: 60 * MINUTE },
  { attempts: ago(1, 20), most: 2, waitMs: 40 * MINUTE },
  { attempts: ago(1, 59), most: 2, waitMs: MINUTE },
  { attempts: ago(1, 60), most: 2, waitMs: null },
  // More than the most, which was lowered: the second newest has to leave the hour.
  { attempts: ago(1, 10, 30), most: 2, waitMs: 50 * MINUTE },
  { attempts: ago(1, 2, 3), most: 1, waitMs: 59 * MINUTE },
])("after $attempts, of at most $most: $waitMs ms to wait", ({ attempts, most, waitMs }) => {
  const until = NOON + (waitMs ?? 0);
  const refused = waitMs === null ? null : { kind: "too_many_attempts", most, until, waitMs };
  expect(refuseAttempt(attempts, most, NOON)).toEqual(refused);
});
