import type { Account, Entry, Instant } from "../line/account.ts";
import { drawDown, MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import { REFERENCE } from "../line/reference.ts";
import type { AddOn } from "../offer/catalogue.ts";

/** The units of an add-on that a charge adds to what a period owes, and their price. */
export interface AddOnCharge {
  readonly addOnId: string;
  /** Of the subscription. */
  readonly number: number;
  readonly period: number;
  /** Units owed in the period before this charge, and after it. Each is paid once. */
  readonly owed: number;
  readonly units: number;
  readonly credits: MicroCredits;
  readonly dueAt: Instant;
}

/** The price of `units` (at least 0) of an add-on for a period. */
export function addOnPrice({ credits }: AddOn, units: bigint): MicroCredits {
  return credits * units;
}

/**
 * Posts an add-on's charge, whether or not the balance covers it. The reference names the units within
 * the period, so that none is posted twice.
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

/** The most micro-credits that can still be drawn before position leaves 64 bits. */
export function mostToDraw(account: Account): MicroCredits {
  return MAX_BIGINT - account.position;
}
