import type { Account, Entry, Instant } from "../line/account.ts";
import { drawDown, MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import { REFERENCE } from "../line/reference.ts";
import type { AddOn } from "../offer/catalogue.ts";

/** Units of an add-on that become owed in one period of a subscription, and what they cost. */
export interface AddOnCharge {
  readonly addOnId: string;
  /** Of the subscription. */
  readonly number: number;
  readonly period: number;
  /** Units owed in the period before this charge, and after it: each is paid once. */
  readonly owed: number;
  readonly units: number;
  readonly credits: MicroCredits;
  readonly dueAt: Instant;
}

/** What units (at least 0) of an add-on cost for a period. */
export function addOnPrice({ credits }: AddOn, units: bigint): MicroCredits {
  return credits * units;
}

/**
 * Draws an add-on's charge down, whether or not the balance covers it. Its reference names the units
 * within the period, so that none can be posted twice.
 */
export function chargeAddOn(
  account: Account,
  charge: AddOnCharge,
): { account: Account; entry: Entry } {
  const { credits, dueAt } = charge;
  const reference = REFERENCE.addOnCharge.write(charge);
  const details = {
    kind: "add_on_charge",
    credits: -credits,
    lotId: null,
    reference,
    dueAt,
  } as const;
  return postEntry(drawDown(account, credits), details);
}

/** How many credits the account's line can still be drawn by. */
export function mostToDraw(account: Account): MicroCredits {
  return MAX_BIGINT - account.position;
}
