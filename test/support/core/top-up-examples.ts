import type { Catalogue, CreditPrice } from "../../../shared/core/offer/catalogue.ts";
import {
  type AutoTopUp,
  UNTOUCHED_AUTO_TOP_UP,
} from "../../../shared/core/payments/auto-top-up.ts";
import type { TopUpContext } from "../../../shared/core/payments/decide-top-up.ts";
import type { TopUp } from "../../../shared/core/payments/payment.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { accountWith, NOON } from "./examples.ts";

/** What a dollar, a yen and a dinar buy: a micro-credit per cent, yen and fils; the lots live two months. */
const PRICES: readonly CreditPrice[] = [
  priceOf("USD", 100n),
  priceOf("JPY", 1n),
  priceOf("KWD", 1_000n),
];

/** The price of credits in a currency from an instant on; their lots have the default life. */
export function priceOf(currency: string, credits: bigint, validFrom = 0): CreditPrice {
  return { currency, validFrom, credits, life: { kind: "usual" } };
}

export function selling(prices: readonly CreditPrice[]): Catalogue {
  const byCurrency = Map.groupBy(prices, ({ currency }) => currency);
  return { plans: new Map(), addOns: new Map(), creditPrices: byCurrency };
}

/** Auto top-up of ten dollars, at most 100 a day and 500 a month, with overrides. */
export function autoWith(given: Partial<AutoTopUp> = {}): AutoTopUp {
  return { ...UNTOUCHED_AUTO_TOP_UP, ...given };
}

/** An account with a balance in micro-credits, above 0 granted, published as low for the third time. */
export function lowAccount(balance: bigint, threshold = 0n) {
  const position = 10_000n - balance;
  return accountWith({ granted: 10_000n, position, threshold, lowBalance: true, crossings: 3n });
}

/** An account at its threshold of 0 that can pay in dollars, at noon, with overrides. */
export function contextWith(given: Partial<TopUpContext> = {}): TopUpContext {
  return {
    account: lowAccount(0n),
    ...{ currency: "USD", minimumCharge: 50n, defaultCeilings: null },
    catalogue: selling(PRICES),
    auto: autoWith(),
    hasMethod: true,
    ...{ inFlight: false, mayLackCharges: false },
    spent: { today: 0n, thisMonth: 0n },
    now: NOON,
    ...given,
  };
}

/** A pending top-up of ten dollars for 1,000 micro-credits, caused by the third crossing, with overrides. */
export function topUpWith(given: Partial<TopUp> = {}): TopUp {
  return {
    kind: "top_up",
    accountId: toAccountId("acme"),
    paymentId: "low-balance:3",
    status: "pending",
    amount: 1_000n,
    currency: "USD",
    credits: 1_000n,
    life: { kind: "usual" },
    attempt: 1,
    reason: "",
    createdAt: NOON,
    ...given,
  };
}
