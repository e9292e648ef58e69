import { sqlState } from "./database.ts";

/** Of a statement in a transaction in which one before it has failed. */
const FAILED_BEFORE = "25P02";

/**
 * The results of statements that do not wait for each other: begun in this order, they share a round trip, and
 * Postgres executes them one after the other. Waits for all of them, and rejects with the error of the one
 * that failed: those behind it fail because it did.
 */
export async function together<T extends readonly unknown[] | []>(begun: T) {
  const failures: unknown[] = [];
  for (const answer of await Promise.allSettled<unknown>(begun)) {
    if (answer.status === "rejected") failures.push(answer.reason);
  }
  if (failures.length === 0) return Promise.all(begun);
  throw failures.find((failure) => sqlState(failure) !== FAILED_BEFORE) ?? failures[0];
}
