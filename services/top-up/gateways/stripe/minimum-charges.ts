/**
 * Stripe's minimum charges, in minor units. Source: "Minimum and maximum charge amounts" at
 * https://docs.stripe.com/currencies. In other currencies Stripe's answer to a charge decides.
 */
export const MINIMUM_CHARGES: ReadonlyMap<string, bigint> = new Map([
  ["AED", 200n],
  ["AUD", 50n],
  ["BRL", 50n],
  ["CAD", 50n],
  ["CHF", 50n],
  ["CZK", 1500n],
  ["DKK", 250n],
  ["EUR", 50n],
  ["GBP", 30n],
  ["HKD", 400n],
  ["HUF", 175n],
  ["INR", 50n],
  ["JPY", 50n],
  ["MXN", 1000n],
  ["MYR", 200n],
  ["NOK", 300n],
  ["NZD", 50n],
  ["PLN", 200n],
  ["RON", 200n],
  ["SEK", 300n],
  ["SGD", 50n],
  ["THB", 1000n],
  ["USD", 50n],
]);
