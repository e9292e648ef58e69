/**
 * What JavaScript may hand a local allowance and TypeScript would not. Each of these would be answered as if there
 * were no limit: a bound that is not a number is never reached, an amount as text is appended, `null` costs nothing,
 * and a value that is not text has no budget.
 */
import { isOverdraft, UNLIMITED } from "../core/line/overdraft.ts";

/**
 * The bound in ms.
 *
 * @throws {RangeError} It is none.
 */
export function toMaxAgeMs(given: number): number {
  if (Number.isFinite(given) && given > 0) return given;
  throw new RangeError(`maxAgeMs is a number of milliseconds above 0, not ${shown(given)}`);
}

/**
 * An overdraft in micro-credits.
 *
 * @throws {RangeError} It is none, such as what API_DEFAULT_OVERDRAFT has: credits, as text.
 */
export function toDefaultOverdraft(given: bigint | "unlimited"): bigint {
  const overdraft = given === "unlimited" ? UNLIMITED : given;
  if (typeof overdraft === "bigint" && isOverdraft(overdraft)) return overdraft;
  throw new RangeError(
    `defaultOverdraft is a bigint of micro-credits from 0 on, or "unlimited", not ${shown(given)}`,
  );
}

/**
 * Checks what an allowance is asked.
 *
 * @throws {RangeError} The cost is none.
 * @throws {TypeError} A dimension is not text.
 */
export function checkQuestion(credits: bigint, dimensions: Readonly<Record<string, string>>): void {
  if (typeof credits !== "bigint" || credits < 0n) {
    throw new RangeError(`credits are a bigint of micro-credits from 0 on, not ${shown(credits)}`);
  }
  for (const name of Object.keys(dimensions)) {
    if (typeof dimensions[name] !== "string") throw new TypeError(`dimension ${name} is not text`);
  }
}

function shown(given: unknown): string {
  return typeof given === "string" ? JSON.stringify(given) : String(given);
}
