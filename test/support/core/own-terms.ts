import type { Instant } from "../../../shared/core/line/account.ts";
import type { OwnPricing, OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import type { UnitPrice } from "../../../shared/core/offer/rate-card.ts";
import type { TableTerms } from "../../../shared/core/offer/rate-table.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";

/** A discount in basis points; `meter` null: on all meters. */
export function discountOf(
  accountId: string,
  meter: string | null,
  validFrom: Instant,
  basisPoints: number,
): OwnTerms {
  return ownTerms(accountId, meter, validFrom, { kind: "discount", basisPoints });
}

export function ownRates(
  accountId: string,
  meter: string,
  validFrom: Instant,
  terms: UnitPrice | TableTerms,
): OwnTerms {
  return ownTerms(accountId, meter, validFrom, { kind: "rates", terms });
}

function ownTerms(
  accountId: string,
  meter: string | null,
  validFrom: Instant,
  pricing: OwnPricing,
): OwnTerms {
  const why = { reason: "contract of 2026", setBy: "test" };
  return { accountId: toAccountId(accountId), meter, validFrom, pricing, ...why };
}
