import type { PaymentGateway } from "../../../services/top-up/gateways/payment-gateway.ts";
import { openSimulatedGateway } from "../../../services/top-up/gateways/simulated/gateway.ts";
import { processPayment } from "../../../services/top-up/process-payment.ts";
import { settlingInSets } from "../../../services/top-up/settle-in-sets.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { autoTopUpsToLookAt } from "../../../shared/ledger/books/auto-top-ups.ts";
import { claimPayments } from "../../../shared/ledger/payments/claim.ts";
import { silent } from "../kafka/kafka.ts";
import { WEBHOOK_SECRET } from "../processes/top-up-process.ts";
import type { Books } from "./books.ts";
import { topUpIfLow } from "./one-payment.ts";

export interface PaymentsByClock {
  /** Every charge requested from the gateway, and when by the test's clock. */
  readonly asked: readonly { readonly paymentId: string; readonly at: number }[];
  now(): number;
  /** Lets time pass, and does the work due at each of its steps. */
  pass(milliseconds: number): Promise<void>;
}

const MINUTE_MS = 60_000;

/**
 * Works like the top-up service, on a test clock. `lowOnes` are checked each time, as if their low
 * balance were published repeatedly, and settled by that.
 */
export function paymentsByClock(
  { database }: Books,
  options: {
    readonly gatewayUrl: string;
    readonly startAt: number;
    readonly stepMs: number;
    readonly lowOnes?: readonly AccountId[];
  },
): PaymentsByClock {
  const simulated = openSimulatedGateway({
    url: options.gatewayUrl,
    webhookSecret: WEBHOOK_SECRET,
  });
  const asked: { paymentId: string; at: number }[] = [];
  const gateway: PaymentGateway = {
    ...simulated,
    charge(request) {
      asked.push({ paymentId: request.paymentId, at: clock });
      return simulated.charge(request);
    },
  };
  let clock = options.startAt;
  const now = () => clock;
  const settle = settlingInSets({ database, now });
  const parts = { database, gateway, logger: silent, now, settle };

  async function look(): Promise<void> {
    const accounts = await autoTopUpsToLookAt(database, clock, 100);
    for (const accountId of [...accounts, ...(options.lowOnes ?? [])]) {
      await topUpIfLow(database, { accountId, now: clock });
    }
  }

  async function take(): Promise<number> {
    const claim = { now: clock, gateway: gateway.name, limit: 64, leaseMs: MINUTE_MS };
    const claimed = await claimPayments(database, claim);
    for (const payment of claimed) await processPayment(parts, payment);
    return claimed.length;
  }

  async function work(): Promise<void> {
    do await look();
    while ((await take()) > 0);
  }

  return {
    asked,
    now,
    async pass(milliseconds) {
      const until = clock + milliseconds;
      await work();
      while (clock < until) {
        clock = Math.min(clock + options.stepMs, until);
        await work();
      }
    },
  };
}
