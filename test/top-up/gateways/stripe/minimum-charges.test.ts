import { expect, test } from "vitest";
import { kindOf } from "../../../../services/top-up/gateways/open-gateway.ts";
import { MOST_CHARGED, usualTopUp } from "../../../../shared/core/payments/charge-limits.ts";

const stripe = kindOf("stripe").minimumCharges;

test.each([
  { currency: "USD", minimum: 50n },
  { currency: "GBP", minimum: 30n },
  { currency: "JPY", minimum: 50n },
  { currency: "CZK", minimum: 1_500n },
  { currency: "KWD", minimum: undefined },
])("Stripe's minimum charge in $currency is $minimum", ({ currency, minimum }) => {
  expect(stripe.get(currency)).toBe(minimum);
});

test("the simulated gateway has the minimum charges of Stripe, for which it stands in", () => {
  expect(kindOf("simulated").minimumCharges).toEqual(stripe);
});

test("the default amount of a top-up is accepted by Stripe in any currency", () => {
  const unfit = Intl.supportedValuesOf("currency").filter((currency) => {
    const minimumCharge = stripe.get(currency) ?? 1n;
    const usual = usualTopUp({ currency, minimumCharge });
    return usual < minimumCharge || usual > MOST_CHARGED;
  });
  expect(unfit).toEqual([]);
});
