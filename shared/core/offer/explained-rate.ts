import type { Instant } from "../line/account.ts";
import {
  type AccountCard,
  isOwnRate,
  type OwnRate,
  type Priced,
  type Rate,
  rateIn,
  rateOf,
} from "./rate-card.ts";

/** The rate that priced a metered event, and what it stands beside. */
export interface ExplainedRate {
  readonly rate: Rate;
  readonly pricedBy: PricedBy;
  /** What the event costs whoever has no own terms; null: it has no price on the list. */
  readonly list: Rate | null;
  /** How much of the month's usage was counted before the event, and with it; missing: the rate counts none. */
  readonly counted?: { readonly month: Instant; readonly from: bigint; readonly to: bigint };
}

type PricedBy = "list" | "discount" | "own_rate";

/** Null: no rate is known any more. */
export function explainedRateOf(card: AccountCard, event: Priced): ExplainedRate | null {
  const rate = rateOf(card, event);
  if (rate === null) return null;
  if (!isOwnRate(rate)) return { rate, pricedBy: "list", list: rate };
  const list = rateIn(rate.of.list, event);
  return { rate, pricedBy: pricedBy(rate, list), list };
}

function pricedBy({ of, from }: OwnRate, list: Rate | null): PricedBy {
  const { discount } = of.own;
  if (discount !== null && discount > 0) return "discount";
  return from === list ? "list" : "own_rate";
}
