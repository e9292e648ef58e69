import type { Transaction } from "./database.ts";

/** The same transaction for several who ask at once: each query waits until those before it were answered. */
export function serializeQueries(transaction: Transaction): Transaction {
  let last: Promise<unknown> = Promise.resolve();
  const ask: (...args: unknown[]) => Promise<unknown> = transaction.query.bind(transaction);
  const query = (...args: unknown[]) => {
    const answer = last.then(() => ask(...args));
    last = answer.catch(() => undefined);
    return answer;
  };
  return Object.assign(Object.create(transaction), { query });
}
