import type { Health } from "../../shared/runtime/health/health.ts";
import type { Metrics } from "../../shared/runtime/metrics/metrics.ts";
import { OutcomeUnknown, type PaymentGateway } from "./gateways/payment-gateway.ts";

/** The same gateway, and whether it answered the last call. */
export interface WatchedGateway {
  readonly gateway: PaymentGateway;
  /** Null: it answered. A refusal is an answer, too. */
  failing(): { readonly reason: string; readonly forMs: number } | null;
  /** The calls of this process so far, and those that it did not answer. */
  calls(): { readonly answered: number; readonly unanswered: number };
}

export function watchGateway(
  gateway: PaymentGateway,
  now: () => number = () => performance.now(),
): WatchedGateway {
  let failed: { readonly reason: string; readonly since: number } | null = null;
  const calls = { answered: 0, unanswered: 0 };

  async function watched<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      failed = null;
      calls.answered += 1;
      return answer;
    } catch (error) {
      const isUnknown = error instanceof OutcomeUnknown;
      calls[isUnknown ? "unanswered" : "answered"] += 1;
      failed = isUnknown ? { reason: error.message, since: failed?.since ?? now() } : null;
      throw error;
    }
  }

  return {
    gateway: {
      ...gateway,
      charge: (request) => watched(gateway.charge(request)),
      find: (request) => watched(gateway.find(request)),
      stateOf: (gatewayPayment) => watched(gateway.stateOf(gatewayPayment)),
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
    calls: () => calls,
  };
}

/** Shows whether the gateway answers. */
export function gatewayMetrics(metrics: Metrics, watched: Pick<WatchedGateway, "calls">): void {
  metrics.source("gateway", ({ counter }) => {
    const calls = counter(
      "drawdown_gateway_calls_total",
      "Calls of the payment gateway; unanswered: their outcome is unknown.",
      ["result"],
    );
    for (const [result, count] of Object.entries(watched.calls())) calls.inc({ result }, count);
  });
}

/** Checks that the gateway answers, as its last call tells. */
export function checkGateway(health: Health, { failing }: Pick<WatchedGateway, "failing">): void {
  health.state("gateway", failing);
}
