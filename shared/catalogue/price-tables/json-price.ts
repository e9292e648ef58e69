import type { RowCollector } from "./collect-rows.ts";
import { exactOr, shift } from "./exact-number.ts";
import type { JsonMember } from "./json-tree.ts";
import type { PriceKey } from "./price-row.ts";

/** Both public formats state US dollars. */
const CURRENCY = "USD";
const MILLION = 6;
/** What is priced by the million, as people read such prices. */
const SMALL_UNITS = /_(tokens|characters|pixels)(_|$)/;

/**
 * Adds the price of a member: a number, a number in quotes, or null for none. `per` is 1, 1,000 or 1,000,000. Small
 * units are restated for a million, so that the same price is the same row whatever file it is from.
 */
export function addPrice(
  found: RowCollector,
  key: PriceKey,
  per: bigint,
  { value, line }: JsonMember,
  field: string,
): void {
  if (value.kind === "null") return;
  if (value.kind !== "number" && value.kind !== "text") {
    found.refuse(line, field, "must be a number");
    return;
  }
  const price = exactOr(value.text, (problem) => found.refuse(line, field, problem));
  if (price === null) return;
  const power = SMALL_UNITS.test(key.kind) ? MILLION - (per.toString().length - 1) : 0;
  const restated = { price: shift(price, power), per: per * 10n ** BigInt(power) };
  found.add({ ...key, ...restated, currency: CURRENCY, place: { line, field } });
}
