/**
 * A decimal number as it was written: coefficient x 10^exponent. It is 0 or more. The coefficient has no
 * zeros at its end, so that equal numbers have equal parts; 0 is 0 x 10^0.
 */
export interface ExactNumber {
  readonly coefficient: bigint;
  readonly exponent: number;
}

const ZERO: ExactNumber = { coefficient: 0n, exponent: 0 };

/** The grammar of a number in JSON, without its sign. */
const NUMBER = /^(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const MOST_CHARACTERS = 100;
const MOST_DIGITS = 30;
/** A number is below 10^9, and 0 or at least 10^-18. */
const LARGEST_POWER = 9;
const SMALLEST_POWER = -18;

/**
 * Reads a price or a factor from its text: 3, 0.0000003, 1e-7, 3.5e-06. No floating-point number is involved.
 * Throws a RangeError with the reason if `text` is no such number, is below zero, is 1,000,000,000 or more, lies
 * between 0 and 10^-18, or has more than 30 digits.
 */
export function parseExact(text: string): ExactNumber {
  if (text.length > MOST_CHARACTERS) {
    throw new RangeError(`has ${text.length} characters; a number has at most ${MOST_CHARACTERS}`);
  }
  const [, whole, fraction = "", power = "0"] = NUMBER.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(reasonAgainst(text));
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return ZERO;
  const exponent = Number(power) - fraction.length + (digits.length - significant.length);
  refuseExtremes(text, significant.length, exponent);
  return { coefficient: BigInt(significant), exponent };
}

function reasonAgainst(text: string): string {
  if (text === "") return "is missing";
  if (/^-\d/.test(text)) return `must be 0 or more, without a sign, not ${text}`;
  return `must be a number like 3, 0.0000003 or 3e-7, not "${text}"`;
}

function refuseExtremes(text: string, digits: number, exponent: number): void {
  if (digits + exponent > LARGEST_POWER) {
    throw new RangeError(`must be below 1,000,000,000, not ${text}`);
  }
  if (digits + exponent <= SMALLEST_POWER) {
    throw new RangeError(`must be 0 or at least 1e${SMALLEST_POWER}, not ${text}`);
  }
  if (digits > MOST_DIGITS) {
    throw new RangeError(`has ${digits} digits; at most ${MOST_DIGITS} are possible`);
  }
}

/** As `parseExact`, but tells the reason and returns null. */
export function exactOr(text: string, tell: (problem: string) => void): ExactNumber | null {
  try {
    return parseExact(text);
  } catch (problem) {
    if (!(problem instanceof RangeError)) throw problem;
    tell(problem.message);
    return null;
  }
}

/** How many times 10^`power` a number is. Its own exponent is at least `power`. */
export function inPowers({ coefficient, exponent }: ExactNumber, power: number): bigint {
  return coefficient * 10n ** BigInt(exponent - power);
}

/** `number` x 10^`power`. */
export function shift({ coefficient, exponent }: ExactNumber, power: number): ExactNumber {
  return coefficient === 0n ? ZERO : { coefficient, exponent: exponent + power };
}

/** Writes a number without an exponent: "0.0000003". */
export function exactText({ coefficient, exponent }: ExactNumber): string {
  const digits = coefficient.toString();
  if (exponent >= 0) return digits + "0".repeat(exponent);
  const padded = digits.padStart(1 - exponent, "0");
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}
