import type { AccountId } from "../../core/line/account.ts";
import { type AccountCard, versionInForce } from "../../core/offer/rate-card.ts";
import {
  type CostEstimate,
  estimateCost,
  type UsageToCome,
} from "../../core/usage/estimate-cost.ts";
import type { Transaction } from "../postgres/database.ts";
import { carriedUnder, type Needed, readAmounts } from "./carried.ts";

/**
 * What usage would cost an account, exactly: with what is carried along of its usage, and used in its months. Writes
 * nothing.
 */
export async function estimateUsage(
  transaction: Transaction,
  card: AccountCard,
  accountId: AccountId,
  usages: readonly UsageToCome[],
): Promise<CostEstimate> {
  const needed = new Set<Needed["of"]>();
  for (const { meter, occurredAt } of usages) {
    const version = versionInForce(card, meter, occurredAt);
    if (typeof version === "string") continue;
    for (const of of carriedUnder(version, occurredAt)) needed.add(of);
  }
  const carried = await readAmounts(
    transaction,
    [...needed].map((of) => ({ accountId, of })),
  );
  return estimateCost(card, usages, carried.get(accountId) ?? new Map());
}
