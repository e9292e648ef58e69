import { type BudgetLimit, holdMore, leftOf, tightestOf, usedUp } from "../budgets/limit.ts";
import type { Account, Instant, Lot } from "../line/account.ts";
import { availableAt } from "../line/available.ts";
import { least, MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import type { Dimensions } from "../offer/value-tree.ts";
import { endIfUsedUp, expireHold, type Hold, heldBy } from "./hold.ts";

/** What is asked about a hold of an account. */
export type HoldRequest = { readonly holdId: string } & (
  | {
      readonly kind: "hold";
      readonly request: string;
      readonly credits: MicroCredits;
      /** Give what is available where that is less. */
      readonly partial: boolean;
      readonly ttlMs: number;
      /** Of the usage to come; null: none are named. */
      readonly dimensions: Dimensions | null;
      readonly by: string;
    }
  | { readonly kind: "extend"; readonly ttlMs: number }
  | { readonly kind: "capture"; readonly credits: MicroCredits }
  | { readonly kind: "release" }
);

/** The hold after a request; or why it stays as it was. */
export type HoldDecision =
  | { readonly kind: "held"; readonly hold: Hold }
  | Refusal<
      | "insufficient_credits"
      | "budget_used_up"
      | "no_credits"
      | "unknown_hold"
      | "hold_exists"
      | "hold_captured"
      | "hold_ended"
      | "exceeds_hold"
    >;

/** What is read of an account whose row is locked. */
export interface HoldingAccount {
  readonly account: Account;
  /** Those with credits left, or none if nothing is due on the account. */
  readonly lots: readonly Lot[];
  /** Those that are asked about, and those still open whose time is over. */
  readonly holds: readonly Hold[];
  /** The budgets of the values that requests name, with what all open holds set aside of them. */
  readonly limits: readonly BudgetLimit[];
}

/** What requests make of an account's holds. */
export interface HoldChanges {
  /** One for each request, in their order. */
  readonly decisions: readonly HoldDecision[];
  /** The new states, in the order in which they came about; a hold may have several. */
  readonly changes: readonly Hold[];
  /** What all open holds set aside afterwards. */
  readonly held: MicroCredits;
}

/**
 * Decides on requests about one account's holds, one after the other. Holds whose time is over end first, so
 * what they set aside is available to the first request. Source: design, "Holds".
 */
export function decideHolds(
  { account, lots, holds, limits: before }: HoldingAccount,
  requests: readonly HoldRequest[],
  now: Instant,
): HoldChanges {
  const known = new Map<string, Hold>();
  const changes: Hold[] = [];
  let { held } = account;
  let limits = before;

  function change(hold: Hold): void {
    const before = known.get(hold.holdId);
    if (before === hold) return;
    const more = heldBy(hold) - (before === undefined ? 0n : heldBy(before));
    held += more;
    limits = holdMore(limits, hold.dimensions, more);
    known.set(hold.holdId, hold);
    changes.push(hold);
  }

  for (const hold of holds) {
    known.set(hold.holdId, hold);
    change(expireHold(hold, now));
  }
  const balance = availableAt(account, lots, now);
  const decisions = requests.map((request) => {
    const available = balance - held;
    const mostToHold = least(available + (account.overdraft ?? 0n), MAX_BIGINT - held);
    const of = { accountId: account.accountId, available, mostToHold, limits, now };
    const decision = decide(known.get(request.holdId), request, of);
    if (decision.kind === "held") change(decision.hold);
    return decision;
  });
  return { decisions, changes, held };
}

interface Now extends Pick<Account, "accountId"> {
  readonly available: MicroCredits;
  /** What is available, and the overdraft. */
  readonly mostToHold: MicroCredits;
  readonly limits: readonly BudgetLimit[];
  readonly now: Instant;
}

function decide(hold: Hold | undefined, request: HoldRequest, at: Now): HoldDecision {
  if (request.kind === "hold") return hold === undefined ? give(request, at) : same(hold, request);
  const { holdId } = request;
  if (hold === undefined) return { kind: "unknown_hold", holdId };
  switch (request.kind) {
    case "extend":
      return extend(hold, at.now + request.ttlMs);
    case "capture":
      return capture(hold, request.credits, at.now);
    case "release":
      return release(hold, at.now);
  }
}

type Asked = Extract<HoldRequest, { kind: "hold" }>;

/** The tightest limit wins: what is available of the account, or what is left of a budget. */
function give(asked: Asked, { accountId, available, mostToHold, limits, now }: Now): HoldDecision {
  const { holdId, request, credits, partial, ttlMs, dimensions, by } = asked;
  if (credits <= 0n) return { kind: "no_credits" };
  const limit = tightestOf(limits, dimensions);
  const left = limit === null ? mostToHold : least(mostToHold, leftOf(limit));
  if (left < credits && !(partial && left > 0n)) {
    return limit !== null && leftOf(limit) < mostToHold
      ? usedUp(limit, credits)
      : { kind: "insufficient_credits", asked: credits, available, most: mostToHold };
  }
  const hold: Hold = {
    ...{ accountId, holdId, request, asked: credits },
    credits: least(left, credits),
    ...{ used: 0n, captured: null, status: "open", dimensions, requestedBy: by },
    ...{ createdAt: now, expiresAt: now + ttlMs, endedAt: null },
  };
  return { kind: "held", hold };
}

function same(hold: Hold, { request }: Asked): HoldDecision {
  if (hold.request === request) return { kind: "held", hold };
  const { holdId, asked, createdAt } = hold;
  return { kind: "hold_exists", holdId, credits: asked, at: createdAt };
}

/** A hold is never shortened. */
function extend(hold: Hold, until: Instant): HoldDecision {
  if (hold.status !== "open") return closed(hold);
  return { kind: "held", hold: until > hold.expiresAt ? { ...hold, expiresAt: until } : hold };
}

function capture(hold: Hold, credits: MicroCredits, now: Instant): HoldDecision {
  if (hold.captured === credits) return { kind: "held", hold };
  if (hold.status !== "open") return closed(hold);
  if (credits > hold.credits) {
    return { kind: "exceeds_hold", holdId: hold.holdId, credits: hold.credits };
  }
  const captured: Hold = { ...hold, captured: credits, status: "captured" };
  return { kind: "held", hold: endIfUsedUp(captured, now) };
}

function release(hold: Hold, now: Instant): HoldDecision {
  if (hold.status === "released") return { kind: "held", hold };
  if (hold.status !== "open") return closed(hold);
  return { kind: "held", hold: { ...hold, status: "released", endedAt: now } };
}

function closed({ holdId, captured, status, endedAt, expiresAt }: Hold): HoldDecision {
  if (captured !== null) return { kind: "hold_captured", holdId, credits: captured };
  const how = status === "released" ? "released" : "expired";
  return { kind: "hold_ended", holdId, how, at: endedAt ?? expiresAt };
}
