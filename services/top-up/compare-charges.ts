import type { Instant } from "../../shared/core/line/account.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import {
  chargesComparedTo,
  findUnmatched,
  forgetMatched,
  forgetUnmatched,
  keepUnmatched,
  listUnmatched,
  recordChargesCompared,
} from "../../shared/ledger/payments/charges-at-gateway.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import {
  type ListedCharge,
  OutcomeUnknown,
  type PaymentGateway,
} from "./gateways/payment-gateway.ts";
import type { PaymentContext } from "./payment-context.ts";
import { isKeyOfPayment } from "./payment-key.ts";

/** Progress is recorded per day, so that a long comparison resumes after a restart. */
const DAY_MS = 24 * 60 * 60_000;
/** The gateway's clock may be behind by this much, so later charges may not have been listed. */
const CLOCKS_APART_MS = 5 * 60_000;
/** A declined charge may succeed this much later, once the customer or the bank approves it. */
const PAID_LATE_MS = 7 * DAY_MS;
const BATCH = 500;

/**
 * Compares the gateway's charges with the payments in the books until the service stops. A charge that
 * the books lack is logged as an error, and listed by `drawdown reconcile`.
 */
export async function watchCharges(
  context: PaymentContext & { readonly waits: OutageRetry; readonly stopping: AbortSignal },
): Promise<void> {
  const { database, gateway, logger, waits } = context;
  await waits.repeat("charges to compare", async () => {
    try {
      await compareCharges(context);
      const charges = (await listUnmatched(database, null)).length;
      if (charges > 0) {
        logger.error({ charges }, "the books lack charges at the gateway: run drawdown reconcile");
      }
    } catch (error) {
      if (isDatabaseOutage(error)) throw error;
      // Charging continues whatever the error is.
      const level = error instanceof OutcomeUnknown ? "warn" : "error";
      logger[level]({ err: error }, "the gateway's charges could not be compared");
    }
    await waits.pause(gateway.listEveryMs);
  });
}

/**
 * Compares new charges, and once a day those of a week, with their payments, and re-checks charges that
 * did not match before. Throws OutcomeUnknown if the gateway does not answer; progress is kept.
 */
export async function compareCharges(
  context: Pick<PaymentContext, "database" | "gateway" | "now"> & {
    readonly stopping?: AbortSignal;
  },
): Promise<void> {
  const { database, gateway, now, stopping } = context;
  const until = now();
  const from = await chargesComparedTo(database, gateway.name);
  if (from === null) return;
  const isNewDay = Math.floor(from / DAY_MS) < Math.floor(until / DAY_MS);
  const back = isNewDay ? PAID_LATE_MS : CLOCKS_APART_MS;
  for (let since = from - back; since < until; since += DAY_MS) {
    const to = Math.min(since + DAY_MS, until);
    await compareMade(database, gateway, since, to);
    if (stopping?.aborted === true) return;
    await recordChargesCompared(database, gateway.name, to);
  }
  await forgetMatched(database, gateway.name);
  for (const charge of await listUnmatched(database, null)) {
    if (stopping?.aborted === true) return;
    if (charge.gateway !== gateway.name) continue;
    const returned = await gateway.takenBack(charge.gatewayPayment);
    const amount = returned.reduce((sum, part) => sum + part.amount, 0n);
    if (amount >= charge.amount) await forgetUnmatched(database, gateway.name, charge);
  }
}

async function compareMade(
  database: Database,
  gateway: PaymentGateway,
  since: Instant,
  until: Instant,
): Promise<void> {
  let batch: ListedCharge[] = [];
  const compare = async () => {
    const unmatched = await findUnmatched(database, batch);
    batch = [];
    for (const { charge, accountCreatedAt } of unmatched) {
      const isOurs = accountCreatedAt !== null && isKeyOfPayment(charge, accountCreatedAt);
      if (isOurs) await keepUnmatched(database, gateway.name, charge);
    }
  };
  for await (const charge of gateway.listCharges(since, until)) {
    batch.push(charge);
    if (batch.length === BATCH) await compare();
  }
  await compare();
}
