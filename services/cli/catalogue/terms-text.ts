import type { LotLife, Plan } from "../../../shared/core/offer/catalogue.ts";
import type {
  AddOnTerms,
  CreditPriceTerms,
  MeterTerms,
  PlanTerms,
} from "../../../shared/core/offer/catalogue-terms.ts";
import type { DisplayName, Unit } from "../../../shared/core/offer/display-name.ts";
import { type Feed, pathText } from "../../../shared/core/offer/feed.ts";
import type { TableTerms } from "../../../shared/core/offer/rate-table.ts";
import { countedText } from "../../../shared/core/offer/why-no-rate.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { unitPriceText } from "../shell/price-text.ts";

/** "2.5 credits for 1000000 units, fed by prompt: $.tokens", "3 rates by model, kind, quantity" */
export function meterText(terms: MeterTerms): string {
  const priced =
    "rates" in terms
      ? `${countOf(terms.rates.length, "rate")} by ${dependencies(terms).join(", ")}`
      : unitPriceText(terms);
  return `${priced}${terms.feed === undefined ? "" : `, fed by ${feedText(terms.feed)}`}`;
}

/** The dimensions by which rates differ, and what their bands count. */
function dependencies({ dimensions, rates }: TableTerms): string[] {
  const counted = rates.flatMap(({ band }) => (band === undefined ? [] : [countedText(band.of)]));
  return [...new Set([...dimensions, ...counted])];
}

/** "prompt: $.output_tokens, model $.model" */
export function feedText({ eventType, value, dimensions }: Feed): string {
  const counted = value === null ? "1 each" : pathText(value);
  const named = [...dimensions].map(([name, path]) => `, ${name} ${pathText(path)}`);
  return `${eventType}: ${counted}${named.join("")}`;
}

export function planText({ credits, life, prices, ...first }: PlanTerms): string {
  const terms = [`${formatCredits(credits)} credits a month${unusualLife(life)}`];
  if (first.firstCredits === "immediately") terms.push("first credits immediately");
  if (first.firstMonth === "by_days") terms.push("first month by its days");
  return `${terms.join(", ")}; ${pricesText(prices)}`;
}

export function addOnText({ credits }: AddOnTerms): string {
  return `${formatCredits(credits)} credits a month for each`;
}

export function creditPriceText({ credits, life }: CreditPriceTerms): string {
  return `${formatCredits(credits)} credits a unit${unusualLife(life)}`;
}

/** "name Searches, unit query/queries" */
export function displayText({ name, unit }: Pick<DisplayName, "name" | "unit">): string {
  const parts = [name && `name ${name}`, unit && `unit ${unitText(unit)}`];
  return parts.filter((part) => part !== null).join(", ");
}

export function unitText({ one, many }: Unit): string {
  return one === many ? one : `${one}/${many}`;
}

function unusualLife(life: LotLife): string {
  return life.kind === "usual" ? "" : `, life ${lifeText(life)}`;
}

/** As a catalogue file states it. */
export function lifeText(life: LotLife): string {
  if (life.kind !== "months") return life.kind;
  return life.months === 1 ? "1 month" : `${life.months} months`;
}

/** "EUR 99.00 monthly, 990.00 yearly; ..." */
export function pricesText(prices: Plan["prices"]): string {
  return prices
    .map(
      ({ currency, monthly, yearly }) =>
        `${currency} ${formatMoney(monthly, currency)} monthly, ${formatMoney(yearly, currency)} yearly`,
    )
    .join("; ");
}
