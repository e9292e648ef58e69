/** Exact arithmetic for the calculators of prices. */

/** A number as a fraction; the denominator is above 0. */
export interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

export const NOTHING: Fraction = { over: 0n, under: 1n };

/** A decimal number, with a power of ten or without. */
export function fraction(text: string): Fraction {
  const [, digits = "", decimals = "", power = "0"] =
    /^(\d+)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const exponent = Number(power) - decimals.length;
  const number = BigInt(digits + decimals);
  return exponent >= 0
    ? { over: number * 10n ** BigInt(exponent), under: 1n }
    : { over: number, under: 10n ** BigInt(-exponent) };
}

/** The whole micro-credits of a fraction. What is left of one is carried to the account's next usage. */
export function whole({ over, under }: Fraction): bigint {
  return over / under;
}

export function times(a: Fraction, b: Fraction): Fraction {
  return { over: a.over * b.over, under: a.under * b.under };
}

export function divided(a: Fraction, b: Fraction): Fraction {
  return { over: a.over * b.under, under: a.under * b.over };
}

/** Over a common denominator, so that sums of many do not grow. */
export function plus(a: Fraction, b: Fraction): Fraction {
  if (a.under % b.under === 0n)
    return { over: a.over + b.over * (a.under / b.under), under: a.under };
  if (b.under % a.under === 0n)
    return { over: a.over * (b.under / a.under) + b.over, under: b.under };
  return { over: a.over * b.under + b.over * a.under, under: a.under * b.under };
}
