import type { Transaction } from "./database.ts";

/** The same transaction for concurrent callers: each query waits for the one before it. */
export function serializeQueries(transaction: Transaction): Transaction {
  let last: Promise<unknown> = Promise.resolve();
  const send: (...args: unknown[]) => Promise<unknown> = transaction.query.bind(transaction);
  const query = (...args: unknown[]) => {
    const answer = last.then(() => send(...args));
    last = answer.catch(() => undefined);
    return answer;
  };
  return Object.assign(Object.create(transaction), { query });
}
