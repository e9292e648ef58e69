import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { countedMonth, mostOfMonth } from "../../core/offer/month-price.ts";
import {
  type AccountCard,
  costOf,
  countsMonth,
  type Rate,
  versionInForce,
  versionOf,
} from "../../core/offer/rate-card.ts";
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

/**
 * What usage of an account costs at most under a rate, that occurs between two instants, whatever else is metered
 * before it. A month that begins meanwhile begins its tiers and packages anew.
 */
export async function costAtMost(
  transaction: Transaction,
  accountId: AccountId,
  { rate, quantity }: { readonly rate: Rate; readonly quantity: bigint },
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<MicroCredits> {
  if (!countsMonth(rate)) return costOf(rate, quantity).most;
  const of = countedMonth(versionOf(rate), from);
  if (countedMonth(versionOf(rate), to) !== of) return mostOfMonth(rate, quantity, 0n);
  const used = await readAmounts(transaction, [{ accountId, of }]);
  return mostOfMonth(rate, quantity, used.get(accountId)?.get(of) ?? 0n);
}
