import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Dimensions } from "../offer/value-tree.ts";

/** Open; closed with a final amount; given back; or back by itself when its time was over. */
type HoldStatus = "open" | "captured" | "released" | "expired";

/** Credits of an account that are set aside for usage to come. */
export interface Hold {
  readonly accountId: AccountId;
  /** The caller's. */
  readonly holdId: string;
  /** The digest of what was asked for, in hexadecimal. */
  readonly request: string;
  /** What was asked for; above 0. */
  readonly asked: MicroCredits;
  /** What was given: less where a part was allowed. */
  readonly credits: MicroCredits;
  /** By usage that named it. */
  readonly used: MicroCredits;
  /** The final amount, at most `credits`; null: it is not captured. */
  readonly captured: MicroCredits | null;
  readonly status: HoldStatus;
  /** Of the usage to come, whose budgets count what is set aside; null: none were named. */
  readonly dimensions: Dimensions | null;
  readonly requestedBy: string;
  readonly createdAt: Instant;
  /** It sets nothing aside from then on. */
  readonly expiresAt: Instant;
  /** Since when it sets nothing aside; null: it still does. */
  readonly endedAt: Instant | null;
}

/** For how long a hold may be given, in seconds from when it is asked for or extended. */
export const HOLD_SECONDS = { least: 1, usual: 600, most: 86_400 } as const;

/** What a hold sets aside: what was given or captured and is not used yet; nothing once it has ended. */
export function heldBy({
  credits,
  captured,
  used,
  endedAt,
}: Pick<Hold, "credits" | "captured" | "used" | "endedAt">): MicroCredits {
  const left = (captured ?? credits) - used;
  return endedAt !== null || left < 0n ? 0n : left;
}

/** The hold at an instant: ended if its time is over. */
export function expireHold(hold: Hold, now: Instant): Hold {
  if (hold.endedAt !== null || hold.expiresAt > now) return hold;
  const status = hold.status === "open" ? "expired" : hold.status;
  return { ...hold, status, endedAt: hold.expiresAt };
}

/** A captured hold ends when nothing of its final amount is left to be used. */
export function endIfUsedUp(hold: Hold, now: Instant): Hold {
  const isUsedUp = hold.status === "captured" && heldBy(hold) === 0n && hold.endedAt === null;
  return isUsedUp ? { ...hold, endedAt: now } : hold;
}
