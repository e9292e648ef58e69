import type { Instant } from "../../shared/core/account.ts";
import type { OutageWaits } from "../../shared/kafka/outage-waits.ts";
import {
  chargesComparedTo,
  findUnmatched,
  forgetMatched,
  forgetUnmatched,
  keepUnmatched,
  listUnmatched,
  noteChargesCompared,
} from "../../shared/ledger/charges-at-gateway.ts";
import type { Database } from "../../shared/ledger/database.ts";
import { type ListedCharge, OutcomeUnknown, type PaymentGateway } from "./payment-gateway.ts";
import { isKeyOfPayment } from "./payment-key.ts";
import type { TakingParts } from "./taking-parts.ts";

/** So far the gateway's clock may be behind: what it made since then may not have been listed. */
const CLOCKS_APART_MS = 5 * 60_000;
/** What is compared is noted in steps of so much, so that a long way is not gone twice. */
const STEP_MS = 24 * 60 * 60_000;
const TOGETHER = 500;

/**
 * Holds the gateway's charges against the payments of the books again and again, until the service is
 * asked to stop: money that was taken and that the books do not know of is alarmed about, and
 * reconciling names it.
 */
export async function watchCharges(
  parts: TakingParts & { readonly waits: OutageWaits; readonly stopping: AbortSignal },
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
      if (!(error instanceof OutcomeUnknown)) throw error;
      logger.warn({ error: error.message }, "the gateway's charges could not be compared");
    }
    await waits.pause(gateway.listEveryMs);
  });
}

/**
 * Compares the charges made since the last time, each against its payment, and looks again at those
 * that did not match. Throws OutcomeUnknown where the gateway does not say; what was compared by then
 * is noted.
 */
export async function compareCharges(
  parts: Pick<TakingParts, "database" | "gateway" | "now"> & { readonly stopping?: AbortSignal },
): Promise<void> {
  const { database, gateway, now, stopping } = parts;
  const until = now();
  const from = await chargesComparedTo(database, gateway.name);
  if (from === null) return;
  for (let since = from - CLOCKS_APART_MS; since < until; since += STEP_MS) {
    const to = Math.min(since + STEP_MS, until);
    await compareMade(database, gateway, since, to);
    if (stopping?.aborted === true) return;
    await noteChargesCompared(database, gateway.name, to);
  }
  await forgetMatched(database, gateway.name);
  for (const charge of await listUnmatched(database, null)) {
    if (stopping?.aborted === true) return;
    const back = await gateway.takenBack(charge.gatewayPayment);
    const amount = back.reduce((sum, one) => sum + one.amount, 0n);
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
