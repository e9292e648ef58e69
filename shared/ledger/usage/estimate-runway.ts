import { type Runway, runwayOf } from "../../core/history/runway.ts";
import type { Instant } from "../../core/line/account.ts";
import { availableAt } from "../../core/line/available.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { hourOf } from "../../core/offer/months.ts";
import type { AccountDetails } from "../books/account-details.ts";
import { readLiveLots } from "../books/read-lots.ts";
import type { Transaction } from "../postgres/database.ts";
import { sumUsage } from "./sum-usage.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const PACE_DAYS = 7;
const MOST_METERS = 10_000;

/** How long an account's credits last at the pace of a stretch of time. */
export interface EstimatedRunway extends Runway {
  /** Without lots that have ended. */
  readonly balance: MicroCredits;
  readonly pacePerDay: MicroCredits;
  readonly paceFrom: Instant;
  readonly paceTo: Instant;
}

/** Estimates how long the credits last at the pace of the last 7 days. Throws UsageRefused. */
export async function estimateRunway(
  transaction: Transaction,
  { account, createdAt }: Pick<AccountDetails, "account" | "createdAt">,
  now: Instant,
): Promise<EstimatedRunway> {
  const { accountId, timeZone, position } = account;
  const since = Math.min(Math.max(now - PACE_DAYS * DAY_MS, createdAt), now - DAY_MS);
  // In whole hours, of which sums are kept.
  const from = hourOf(since, timeZone);
  const range = { from, to: hourOf(now, timeZone) + HOUR_MS, step: null, timeZone };
  const by = { group: "meter", limit: MOST_METERS } as const;
  const spent = await sumUsage(transaction, accountId, { ...range, ...by });
  const used = spent.reduce((sum, total) => sum + total.credits, 0n);
  const lots = (await readLiveLots(transaction, [accountId])).get(accountId) ?? [];
  return {
    balance: availableAt(account, lots, now),
    pacePerDay: (used * BigInt(DAY_MS)) / BigInt(now - from),
    paceFrom: from,
    paceTo: now,
    ...runwayOf(lots, { position, now }, { credits: used, perMs: now - from }),
  };
}
