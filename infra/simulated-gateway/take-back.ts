import { randomUUID } from "node:crypto";
import type { Payment, TakenBack } from "./payment.ts";
import type { Store } from "./store.ts";

export type TookBack =
  | { readonly kind: "taken back"; readonly takenBack: TakenBack; readonly isRepeat: boolean }
  | { readonly kind: "refused"; readonly reason: string }
  /** The key was used for another request. */
  | { readonly kind: "conflict" };

/** Refunds `amount` (above 0, in the currency's minor unit) of a payment, once per key. */
export function refund(
  store: Store,
  payment: Payment,
  { key, amount }: { readonly key: string; readonly amount: bigint },
): TookBack {
  const { payment: charged, takenBack: known } = store.usedFor(key);
  if (known !== undefined) {
    const isRepeat = known.payment === payment.id && known.amount === amount;
    return isRepeat ? { kind: "taken back", takenBack: known, isRepeat } : { kind: "conflict" };
  }
  if (charged !== undefined) return { kind: "conflict" };

  const left = leftOf(store, payment);
  if (amount > left) {
    const reason = `cannot refund ${amount} of payment ${payment.id}: ${whyLeft(payment, left)}`;
    return { kind: "refused", reason };
  }
  return add(store, { payment: payment.id, key, kind: "refund", amount });
}

/** The customer's bank takes back the rest of a payment. */
export function chargeBack(store: Store, payment: Payment): TookBack {
  const amount = leftOf(store, payment);
  if (amount === 0n) {
    const reason = `cannot charge payment ${payment.id} back: ${whyLeft(payment, 0n)}`;
    return { kind: "refused", reason };
  }
  return add(store, { payment: payment.id, key: null, kind: "chargeback", amount });
}

function leftOf(store: Store, { id, status, amount }: Payment): bigint {
  if (status !== "succeeded") return 0n;
  return store.takenBack.of(id).reduce((left, taken) => left - taken.amount, amount);
}

function whyLeft({ status, amount, currency }: Payment, left: bigint): string {
  if (status === "declined") return "it was declined, so no money was taken";
  if (status === "processing") return "it has not succeeded yet";
  return `${left} of its ${amount} is left (in the minor unit of ${currency})`;
}

function add(store: Store, taken: Omit<TakenBack, "id">): TookBack {
  const prefix = taken.kind === "refund" ? "re" : "cb";
  const takenBack: TakenBack = { id: `${prefix}_${randomUUID()}`, ...taken };
  store.takenBack.add(takenBack, Date.now());
  return { kind: "taken back", takenBack, isRepeat: false };
}
