import type { Account, Entry, Instant } from "../line/account.ts";
import { drawDown, MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";

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

/**
 * Draws an add-on's charge down, whether or not the balance covers it. Its reference names the units
 * within the period, so that none can be posted twice.
 */
export function chargeAddOn(
  account: Account,
  { addOnId, number, period, owed, units, credits, dueAt }: AddOnCharge,
): { account: Account; entry: Entry } {
  return postEntry(drawDown(account, credits), {
    kind: "add_on_charge",
    credits: -credits,
    lotId: null,
    reference: `add-on:${addOnId}:${number}:${period}:${owed}-${units}`,
    dueAt,
  });
}

/** How many credits the account's line can still be drawn by. */
export function mostToDraw(account: Account): MicroCredits {
  return MAX_BIGINT - account.position;
}
