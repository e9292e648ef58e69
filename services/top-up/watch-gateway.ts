import type { Health } from "../../shared/runtime/health/health.ts";
import { OutcomeUnknown, type PaymentGateway } from "./gateways/payment-gateway.ts";

/** The same gateway, and whether it answered the last call. */
export interface WatchedGateway {
  readonly gateway: PaymentGateway;
  /** Null: it answered. A refusal is an answer, too. */
  failing(): { readonly reason: string; readonly forMs: number } | null;
}

export function watchGateway(
  gateway: PaymentGateway,
  now: () => number = () => performance.now(),
): WatchedGateway {
  let failed: { readonly reason: string; readonly since: number } | null = null;

  async function watched<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      failed = null;
      return answer;
    } catch (error) {
      const isUnknown = error instanceof OutcomeUnknown;
      failed = isUnknown ? { reason: error.message, since: failed?.since ?? now() } : null;
      throw error;
    }
  }

  return {
    gateway: {
      ...gateway,
      charge: (request) => watched(gateway.charge(request)),
      find: (request) => watched(gateway.find(request)),
      takenBack: (gatewayPayment) => watched(gateway.takenBack(gatewayPayment)),
      refund: (request) => watched(gateway.refund(request)),
      async *listCharges(since, until) {
        const charges = gateway.listCharges(since, until)[Symbol.asyncIterator]();
        for (;;) {
          const { done, value } = await watched(charges.next());
          if (done === true) return;
          yield value;
        }
      },
    },
    failing: () => failed && { reason: failed.reason, forMs: now() - failed.since },
  };
}

/** Checks that the gateway answers, as its last call tells. */
export function checkGateway(health: Health, { failing }: WatchedGateway): void {
  health.state("gateway", failing);
}
