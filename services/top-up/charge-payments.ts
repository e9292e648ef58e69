import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import {
  type ClaimedPayment,
  claimPayments,
  isPaymentDue,
} from "../../shared/ledger/payments/claim.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import { watchLoop } from "../../shared/runtime/health/watch-loop.ts";
import { workInHand } from "../../shared/runtime/health/work-in-hand.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { type ChargeContext, processPayment } from "./process-payment.ts";

/** Payments at the gateway or being settled; bounds its concurrent calls, and memory. */
const MOST_CONCURRENT = 128;
/** Payments are claimed when there is room for this many: a claim costs about as much for one as for all. */
const LEAST_ROOM = 32;
/** Longer than all calls for a payment take. Afterwards another process may claim it. */
const LEASE_MS = 60_000;
const CHECK_EVERY_MS = 250;

/**
 * Processes the payments that wait for the gateway, longest wait first. The table is the queue: only
 * payments in progress are in memory, and any number of processes may share it.
 */
export function paymentCharging(
  context: ChargeContext & {
    readonly waits: OutageRetry;
    readonly stopping: AbortSignal;
    /** The start of the Postgres server whose books are compared with the gateway's charges; empty: none is yet. */
    comparedOn(): string;
  },
) {
  const { database, gateway, logger, now, waits, stopping, comparedOn } = context;
  const inProgress = new Set<Promise<void>>();
  const inHand = workInHand();
  const loop = watchLoop();
  const sleeper = openSleeper(stopping);

  async function processClaimed(claimed: ClaimedPayment): Promise<void> {
    const { accountId, paymentId } = claimed.payment;
    const piece = inHand.take();
    try {
      await processPayment(context, claimed);
    } catch (error) {
      // The claim expires, and then the gateway is asked.
      const level = isDatabaseOutage(error) ? "warn" : "error";
      logger[level](
        { accountId, paymentId, err: error },
        "a payment could not be processed; it is retried",
      );
    } finally {
      piece.done();
    }
  }

  async function claimMore(): Promise<void> {
    const limit = MOST_CONCURRENT - inProgress.size;
    if (limit < LEAST_ROOM) return sleeper.sleep(CHECK_EVERY_MS);
    const at = { now: now(), gateway: gateway.name, comparedOn: comparedOn() };
    if (!(await isPaymentDue(database, at))) return sleeper.sleep(CHECK_EVERY_MS);
    const claimed = await claimPayments(database, { ...at, limit, leaseMs: LEASE_MS });
    for (const payment of claimed) {
      const processing: Promise<void> = processClaimed(payment).finally(() => {
        inProgress.delete(processing);
        if (inProgress.size === MOST_CONCURRENT - LEAST_ROOM) sleeper.wake();
      });
      inProgress.add(processing);
    }
    if (claimed.length < limit) await sleeper.sleep(CHECK_EVERY_MS);
  }

  return {
    /** Checks for payments immediately. */
    wake: sleeper.wake,
    /** For how many milliseconds no claim has ended that should have, or a payment has outlasted its lease. */
    standsForMs: () => Math.max(loop.standsForMs(), inHand.standsForMs() - LEASE_MS),
    /** Runs until the service stops and payments in progress have ended. */
    async run(): Promise<void> {
      await waits.repeat("payments to charge", loop.turn(claimMore));
      await Promise.all(inProgress);
    },
  };
}
