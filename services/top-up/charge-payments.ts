import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { type ClaimedPayment, claimPayments } from "../../shared/ledger/payments/claim.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import { openRest } from "../../shared/runtime/rest.ts";
import { takePayment } from "./take-payment.ts";
import type { TakingParts } from "./taking-parts.ts";

/** So many are under way at the gateway at once; with it the memory that payments take is bounded. */
const AT_ONCE = 64;
/** Claims wait until there is room for so many: one for each that ends would double their statements. */
const LEAST_ROOM = 8;
/** Longer than all calls for a payment take: whoever claimed it and died is replaced then. */
const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** Charges what is pending, until the service is asked to stop. */
export interface PaymentCharging {
  /** There is something new to charge: do not wait for the next look. */
  wake(): void;
  /** Runs until the service is asked to stop and what is under way has ended. */
  run(): Promise<void>;
}

/**
 * Takes the payments that are to be charged or asked about to the gateway, those that wait longest
 * first. The table is the queue: nothing is held in memory but what is under way, and any number of
 * processes may work on it.
 */
export function paymentCharging(
  parts: TakingParts & { readonly waits: OutageRetry; readonly stopping: AbortSignal },
): PaymentCharging {
  const { database, gateway, logger, now, waits, stopping } = parts;
  const underWay = new Set<Promise<void>>();
  const rest = openRest(stopping);

  async function take(claimed: ClaimedPayment): Promise<void> {
    const { accountId, paymentId } = claimed.payment;
    try {
      await takePayment(parts, claimed);
    } catch (error) {
      // The claim ends by itself, and then the gateway is asked.
      const say = isDatabaseOutage(error) ? "warn" : "error";
      logger[say]({ accountId, paymentId, err: error }, "a payment was left as it was");
    }
  }

  async function look(): Promise<void> {
    const limit = AT_ONCE - underWay.size;
    if (limit < LEAST_ROOM) return rest.take(LOOK_EVERY_MS);
    const claim = { now: now(), gateway: gateway.name, limit, leaseMs: LEASE_MS };
    const claimed = await claimPayments(database, claim);
    for (const one of claimed) {
      const taking: Promise<void> = take(one).finally(() => {
        underWay.delete(taking);
        if (underWay.size === AT_ONCE - LEAST_ROOM) rest.wake();
      });
      underWay.add(taking);
    }
    if (claimed.length < limit) await rest.take(LOOK_EVERY_MS);
  }

  return {
    wake: rest.wake,
    async run() {
      await waits.repeat("payments to charge", look);
      await Promise.all(underWay);
    },
  };
}
