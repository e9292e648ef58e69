import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { type AccountCard, type Rate, rateAt } from "../offer/rate-card.ts";
import { whyNoRate } from "../offer/why-no-rate.ts";
import { type CarriedInBatch, carryOn, priceAfter } from "./carried.ts";
import { type EventLine, linesOf } from "./event-lines.ts";
import type { Rejection, UsageEvent } from "./usage-event.ts";

/** A line of an event with its price, and the rate that gave it. */
export interface PricedLine extends EventLine {
  readonly rate: Rate;
  readonly credits: MicroCredits;
}

/**
 * Prices each line of an event as if it was an event of its own. No meter comes twice, so no line depends on
 * another. A rejection, if any of them has no rate.
 */
export function priceLines(
  card: AccountCard,
  event: UsageEvent,
  carried: CarriedInBatch,
): readonly PricedLine[] | Rejection {
  const priced: PricedLine[] = [];
  const { occurredAt } = event;
  for (const line of linesOf(event)) {
    const { meter, quantity } = line;
    const used = meter === event.meter ? event : { ...event, ...line };
    const rate = rateAt(card, used);
    if (typeof rate === "string") {
      const detail = whyNoRate(card, used);
      return { reason: rate, detail, ...(meter === event.meter ? {} : { meter }) };
    }
    priced.push({ ...line, rate, credits: priceAfter(carried, rate, { quantity, occurredAt }) });
  }
  return priced;
}

/** Carries along what is left after each line of an event that was drawn. */
export function carryLines(
  carried: CarriedInBatch,
  lines: readonly PricedLine[],
  occurredAt: Instant,
): void {
  for (const { rate, quantity, credits } of lines) {
    carryOn(carried, rate, { quantity, occurredAt }, credits);
  }
}
