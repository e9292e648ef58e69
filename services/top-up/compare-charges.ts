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
import { isKeyOfPayment } from "./payment-key.ts";
import type { TakingParts } from "./taking-parts.ts";

/** What is compared is noted day by day, so that a long way is not gone twice. */
const DAY_MS = 24 * 60 * 60_000;
/** So far the gateway's clock may be behind: what it made since then may not have been listed. */
const CLOCKS_APART_MS = 5 * 60_000;
/** What was declined may be paid since: a customer approves it, or the bank does so late. */
const PAID_LATE_MS = 7 * DAY_MS;
const TOGETHER = 500;

/**
 * Holds the gateway's charges against the payments of the books again and again, until the service is
 * asked to stop: money that was taken and that the books do not know of is alarmed about, and
 * reconciling names it.
 */
export async function watchCharges(
  parts: TakingParts & { readonly waits: OutageRetry; readonly stopping: AbortSignal },
): Promise<void> {
  const { database, gateway, logger, waits } = parts;
  await waits.repeat("charges to compare", async () => {
    try {
      await compareCharges(parts);
      const charges = (await listUnmatched(database, null)).length;
      if (charges > 0) {
        logger.error(
          { charges },
          "charges at the gateway are not in the books: see drawdown reconcile",
        );
      }
    } catch (error) {
      if (isDatabaseOutage(error)) throw error;
      // Whatever else it is: charging goes on.
      const say = error instanceof OutcomeUnknown ? "warn" : "error";
      logger[say]({ err: error }, "the gateway's charges could not be compared");
    }
    await waits.pause(gateway.listEveryMs);
  });
}

/**
 * Compares the charges made since the last time, and once a day those of a week, each against its
 * payment; and looks again at those that did not match. Throws OutcomeUnknown where the gateway does
 * not say; what was compared by then is noted.
 */
export async function compareCharges(
  parts: Pick<TakingParts, "database" | "gateway" | "now"> & { readonly stopping?: AbortSignal },
): Promise<void> {
  const { database, gateway, now, stopping } = parts;
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
    const amount = returned.reduce((sum, one) => sum + one.amount, 0n);
    if (amount >= charge.amount) await forgetUnmatched(database, gateway.name, charge);
  }
}

async function compareMade(
  database: Database,
  gateway: PaymentGateway,
  since: Instant,
  until: Instant,
): Promise<void> {
  let together: ListedCharge[] = [];
  const compare = async () => {
    const unmatched = await findUnmatched(database, together);
    together = [];
    for (const { charge, accountCreatedAt } of unmatched) {
      const isOurs = accountCreatedAt !== null && isKeyOfPayment(charge, accountCreatedAt);
      if (isOurs) await keepUnmatched(database, gateway.name, charge);
    }
  };
  for await (const charge of gateway.listCharges(since, until)) {
    together.push(charge);
    if (together.length === TOGETHER) await compare();
  }
  await compare();
}
