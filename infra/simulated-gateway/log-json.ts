import { type Payment, paymentJson } from "./payment.ts";
import type { Store } from "./store.ts";

/** A filter of the charge log. */
export interface LogQuery {
  readonly key?: string;
  readonly accountId?: string;
}

/** The charge log as JSON, in pieces, since it may not fit in memory. */
export function* logAsJson(store: Store, query: LogQuery): Generator<string> {
  yield '{"payments":[';
  let separator = "";
  for (const payments of selected(store, query)) {
    yield separator + payments.map((payment) => JSON.stringify(paymentJson(payment))).join();
    separator = ",";
  }
  yield "]}";
}

function selected(store: Store, { key, accountId }: LogQuery): Iterable<readonly Payment[]> {
  if (key === undefined) return store.payments.pages(accountId);
  const payments = store.payments
    .ofKey(key)
    .filter((payment) => accountId === undefined || payment.accountId === accountId);
  return payments.length === 0 ? [] : [payments];
}
