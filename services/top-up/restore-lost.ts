import { isTopUp } from "../../shared/core/payments/restore-top-up.ts";
import {
  leaveToPeople,
  listUnmatched,
  type UnmatchedCharge,
} from "../../shared/ledger/payments/charges-at-gateway.ts";
import { restoreCharged } from "../../shared/ledger/payments/restore-charged.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import type { PaymentContext } from "./payment-context.ts";

/** After this, what could not come back is tried again. */
const LATER_MS = 60_000;

type Context = Pick<PaymentContext, "database" | "gateway" | "logger" | "now">;

/**
 * Makes a function that brings back the top-ups whose charges are at the gateway and whose payments the books lack, as
 * after a restore: of each account one at a time, oldest first. What cannot come back is left to people, who are told
 * why, and holds up no other.
 */
export function lostTopUps(context: Context): () => Promise<void> {
  const { database, gateway, logger, now } = context;
  const notBefore = new Map<string, number>();

  async function restore(charge: UnmatchedCharge): Promise<void> {
    const { accountId, paymentId, gatewayPayment } = charge;
    const about = { accountId, paymentId, gatewayPayment };
    const { kind } = isTopUp(paymentId)
      ? await restoreCharged(database, charge, now())
      : ({ kind: "not_a_top_up" } as const);
    if (kind === "restored") logger.warn(about, "a top-up that the books lacked is back");
    if (kind === "in_flight") notBefore.set(gatewayPayment, now() + LATER_MS);
    if (kind === "restored" || kind === "in_flight" || kind === "settled") return;
    await leaveToPeople(database, charge);
    logger.warn(
      { ...about, why: kind },
      "a charge that the books lack does not come back by itself",
    );
  }

  async function tryToRestore(charge: UnmatchedCharge): Promise<void> {
    try {
      await restore(charge);
    } catch (error) {
      if (isDatabaseOutage(error)) throw error;
      const { gatewayPayment } = charge;
      notBefore.set(gatewayPayment, now() + LATER_MS);
      logger.error({ err: error, gatewayPayment }, "a top-up does not come back");
    }
  }

  return async () => {
    const lost = (await listUnmatched(database, null)).filter(
      (charge) =>
        charge.problem === "no_payment" && charge.restorable && charge.gateway === gateway.name,
    );
    const first = new Map(lost.toReversed().map((charge) => [charge.accountId, charge]));
    for (const charge of first.values()) {
      if ((notBefore.get(charge.gatewayPayment) ?? 0) > now()) continue;
      notBefore.delete(charge.gatewayPayment);
      await tryToRestore(charge);
    }
  };
}
