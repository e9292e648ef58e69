import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BEHAVIOURS, type Behaviour, type BehaviourName, behaviourOf } from "./cards.ts";
import { asFirstAnswered, isSameRequest, type Payment, type PaymentRequest } from "./payment.ts";
import { sendPaymentWebhook } from "./send-webhook.ts";
import type { ProcessingClock } from "./settle-processing.ts";
import type { Store } from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

const SLOW_MS = 3_000;

type Taken =
  | { readonly kind: "payment"; readonly payment: Payment; readonly answer: Behaviour["answer"] }
  /** Nothing was charged. */
  | { readonly kind: "failed" }
  /** The key was used for another request. */
  | { readonly kind: "conflict" };

export type PaymentTaker = ReturnType<typeof paymentTaker>;

export interface TakerOptions {
  readonly store: Store;
  readonly webhooks: Webhooks;
  readonly processing: ProcessingClock;
  readonly latencyMs: number;
  /** Cuts short the delays of answers. */
  readonly stopping: AbortSignal;
}

/** Charges each payment once. A repeat, even while the first is in progress, gets the same answer. */
export function paymentTaker(options: TakerOptions) {
  const { store, latencyMs } = options;
  const underWay = new Map<string, { request: PaymentRequest; taken: Promise<Taken> }>();

  const wait = (ms: number) => waitFor(ms, options.stopping);

  async function takeNew(request: PaymentRequest): Promise<Taken> {
    const { behaviour, payment } = store.atomically(() => charge(store, request));
    if (payment !== null) {
      sendPaymentWebhook(options.webhooks, payment, payment.createdAt);
      if (payment.status === "processing") options.processing.start();
    }
    const { answer } = BEHAVIOURS[behaviour];
    await wait(latencyMs + (answer === "slowly" ? SLOW_MS : 0));
    return payment === null ? { kind: "failed" } : { kind: "payment", payment, answer };
  }

  return {
    /** Resolves when it is time to answer; the charge is durable before. */
    async take(request: PaymentRequest): Promise<Taken> {
      const { key } = request;
      const first = underWay.get(key);
      if (first !== undefined) {
        if (!isSameRequest(first.request, request)) return { kind: "conflict" };
        return asRepeated(await first.taken);
      }
      const { payment: known, takenBack } = store.usedFor(key);
      if (known !== undefined) {
        await wait(latencyMs);
        return isSameRequest(known, request) ? repeated(known) : { kind: "conflict" };
      }
      if (takenBack !== undefined) return { kind: "conflict" };

      const taken = takeNew(request);
      underWay.set(key, { request, taken });
      try {
        return await taken;
      } finally {
        underWay.delete(key);
      }
    },
  };
}

/** Stores the outcome of the card's next behaviour; the payment is null if it stores nothing. */
function charge(
  store: Store,
  request: PaymentRequest,
): { behaviour: BehaviourName; payment: Payment | null } {
  const { method } = request;
  const behaviour = store.scripts.next(method) ?? behaviourOf(method) ?? "no_card";
  const { kind: status } = BEHAVIOURS[behaviour].outcome;
  if (status === "nothing") return { behaviour, payment: null };
  const made = { id: `pay_${randomUUID()}`, behaviour, status, createdAt: Date.now() };
  const payment: Payment = { ...request, ...made };
  store.payments.add(payment);
  return { behaviour, payment };
}

function asRepeated(taken: Taken): Taken {
  return taken.kind === "payment" ? repeated(taken.payment) : taken;
}

function repeated(payment: Payment): Taken {
  return { kind: "payment", payment: asFirstAnswered(payment), answer: "immediately" };
}

async function waitFor(ms: number, stopping: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal: stopping }).catch(() => undefined);
}
