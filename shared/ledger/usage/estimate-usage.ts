import type { AccountId } from "../../core/line/account.ts";
import {
  type AccountCard,
  type AccountVersion,
  mayCarry,
  versionInForce,
} from "../../core/offer/rate-card.ts";
import {
  type CostEstimate,
  estimateCost,
  type UsageToCome,
} from "../../core/usage/estimate-cost.ts";
import type { Transaction } from "../postgres/database.ts";
import { readRemainders } from "./carried.ts";

/** What usage would cost an account, exactly: with what is carried along of its usage. Writes nothing. */
export async function estimateUsage(
  transaction: Transaction,
  card: AccountCard,
  accountId: AccountId,
  usages: readonly UsageToCome[],
): Promise<CostEstimate> {
  const versions = new Set<AccountVersion>();
  for (const { meter, occurredAt } of usages) {
    const version = versionInForce(card, meter, occurredAt);
    if (typeof version !== "string" && mayCarry(version)) versions.add(version);
  }
  const priced = [...versions].map((version) => ({ accountId, version }));
  const carried = await readRemainders(transaction, priced);
  return estimateCost(card, usages, carried.get(accountId) ?? new Map());
}
