import type { Instant } from "../line/account.ts";
import { isTable, type RateCard, versionInForce } from "./rate-card.ts";

/** The dimensions that prices in force depend on, those of the first meter first. */
export function priceDimensions(card: RateCard, at: Instant): string[] {
  const named = new Set<string>();
  for (const meter of [...card.keys()].sort()) {
    const version = versionInForce(card, meter, at);
    if (typeof version === "string" || !isTable(version)) continue;
    for (const dimension of version.dimensions) named.add(dimension);
  }
  return [...named];
}
