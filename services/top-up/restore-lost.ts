import { isTopUp } from "../../shared/core/payments/restore-top-up.ts";
import { listUnmatched } from "../../shared/ledger/payments/charges-at-gateway.ts";
import { restoreCharged } from "../../shared/ledger/payments/restore-charged.ts";
import type { PaymentContext } from "./payment-context.ts";

/**
 * Brings back the top-ups whose charges are at the gateway and whose payments the books lack, as after a restore:
 * of each account one at a time, oldest first. Any other charge is for people to decide about.
 */
export async function restoreLost({
  database,
  gateway,
  logger,
  now,
}: Pick<PaymentContext, "database" | "gateway" | "logger" | "now">): Promise<void> {
  const busy = new Set<string>();
  for (const charge of await listUnmatched(database, null)) {
    const { accountId, paymentId, gatewayPayment, problem } = charge;
    const isLost = problem === "no_payment" && charge.gateway === gateway.name;
    if (!isLost || !isTopUp(paymentId) || busy.has(accountId)) continue;
    const { kind } = await restoreCharged(database, charge, now());
    if (kind === "in_flight" || kind === "restored") busy.add(accountId);
    if (kind !== "restored") continue;
    logger.warn({ accountId, paymentId, gatewayPayment }, "a top-up that the books lacked is back");
  }
}
