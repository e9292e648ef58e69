/** What load/catalogue.yaml sells, in micro-credits; stated again, so that no file is believed twice. */
const PRICES: Readonly<Record<string, { readonly credits: bigint; readonly per: bigint }>> = {
  "fire.calls": { credits: 50_000n, per: 1n },
  "fire.tokens": { credits: 2_500_000n, per: 1_000_000n },
};
export const PLAN_CREDITS = 10_000_000_000n;
/** Cents. */
export const PLAN_PRICE = { month: 1_900n, year: 19_000n };
export const ADD_ON_CREDITS = 100_000_000n;
/** For a cent. */
export const CREDITS_A_CENT = 100_000n;

export function isPriced(meter: string): boolean {
  return PRICES[meter] !== undefined;
}

/** Nothing of a micro-credit is left of any quantity. */
export function isWholePriced(meter: string): boolean {
  return PRICES[meter]?.per === 1n;
}

/** What a meter's whole usage costs an account: what is left of a micro-credit is carried along. */
export function priceOf(meter: string, quantity: bigint): bigint {
  const price = PRICES[meter];
  if (price === undefined) throw new Error(`${meter} has no price`);
  return (quantity * price.credits) / price.per;
}
