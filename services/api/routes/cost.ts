import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import type { MicroCredits } from "../../../shared/core/line/credit-line.ts";
import type { Refusal } from "../../../shared/core/line/refusal.ts";
import { type AccountCard, rateAt, versionInForce } from "../../../shared/core/offer/rate-card.ts";
import { cardOf } from "../../../shared/core/offer/rates.ts";
import type { Dimensions } from "../../../shared/core/offer/value-tree.ts";
import { whyNoRate } from "../../../shared/core/offer/why-no-rate.ts";
import type { UsageToCome } from "../../../shared/core/usage/estimate-cost.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { costAtMost, estimateUsage } from "../../../shared/ledger/usage/estimate-usage.ts";
import { badRequest, refuse } from "../problem.ts";
import type { RouteContext } from "./route.ts";

/** What something is about to cost: an amount of credits, or a quantity of a meter. */
interface AskedCost {
  readonly credits?: MicroCredits | undefined;
  readonly meter?: string | undefined;
  readonly quantity?: bigint | undefined;
  readonly dimensions?: Dimensions | undefined;
}

/**
 * What it costs the account, at the prices of now: with what is carried to it by now; or the most that it costs until
 * an instant, whatever usage comes first. Throws a Problem.
 */
export async function costOf(
  { readRates, now }: Pick<RouteContext, "readRates" | "now">,
  transaction: Transaction,
  accountId: AccountId,
  { credits: cost, meter, quantity, dimensions = {} }: AskedCost,
  atMostUntil: Instant | null = null,
): Promise<MicroCredits> {
  if (cost !== undefined && meter === undefined && quantity === undefined) {
    if (cost < 0n) throw badRequest("credits", "is below zero");
    return cost;
  }
  if (cost !== undefined || meter === undefined || quantity === undefined || quantity < 0n) {
    throw badRequest("credits", "or both of meter and quantity (at least 0) must be given");
  }
  const from = now();
  const usage = { meter, quantity, dimensions, occurredAt: from };
  const card = cardOf(await readRates(transaction), accountId);
  const rate = rateAt(card, usage);
  if (typeof rate === "string") throw refuse(unpriced(card, usage));
  if (atMostUntil !== null) {
    return costAtMost(transaction, accountId, { rate, quantity }, { from, to: atMostUntil });
  }
  return (await estimateUsage(transaction, card, accountId, [usage])).total.most;
}

function unpriced(card: AccountCard, usage: UsageToCome): Refusal {
  const { meter, occurredAt } = usage;
  const version = versionInForce(card, meter, occurredAt);
  if (typeof version === "string") return { kind: version, meter };
  return { kind: "no_price", meter, detail: whyNoRate(card, usage) };
}
