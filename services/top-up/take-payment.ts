import type { PaymentMethod } from "../../shared/core/payments/attempt.ts";
import type { Decline, DeclineReason } from "../../shared/core/payments/decline.ts";
import { type ClaimedPayment, putOffPayment } from "../../shared/ledger/payments/claim.ts";
import { settlePayment } from "../../shared/ledger/payments/settle.ts";
import {
  type ChargeRequest,
  type ChargeState,
  OutcomeUnknown,
} from "./gateways/payment-gateway.ts";
import { paymentKey } from "./payment-key.ts";
import { returnMoney } from "./return-money.ts";
import type { TakingParts } from "./taking-parts.ts";

/** The gateway is asked again after a second, two, four, ... and at last every five minutes. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** A gateway keeps a key for a day at least (Stripe). Later the same request might charge again. */
const KEY_HOLDS_MS = 23 * 60 * 60 * 1000;

const UNKNOWN = "The payment is being confirmed with the bank.";
const NO_METHOD = declinedHere("hard", "no_payment_method");
const NEVER_REACHED = declinedHere("soft", "never_reached");

/** Declined without the gateway. */
function declinedHere(kind: Decline["kind"], reason: DeclineReason): ChargeState {
  return { kind: "declined", gatewayPayment: null, decline: { kind, reason, code: reason } };
}

/**
 * Takes one claimed payment a step further: charges it, asks about it or sends money back, and posts
 * what came of it. What is not known stays pending and is asked about later. Killed anywhere in
 * between, whoever claims the payment next begins by asking.
 */
export async function takePayment(parts: TakingParts, claimed: ClaimedPayment): Promise<void> {
  const { payment } = claimed;
  switch (payment.status) {
    case "pending":
      return claimed.method === null
        ? await settle(parts, claimed, NO_METHOD)
        : await charge(parts, claimed, claimed.method);
    case "succeeded":
      return await returnMoney(parts, claimed);
    case "retrying":
    case "failed":
      // Nothing was taken that could go back; a fee's next attempt is pending when it is claimed.
      return await putOffPayment(parts.database, claimed, DONE);
  }
}

const DONE = { nextTryAt: null, gatewayPayment: null, reason: null } as const;

async function charge(
  parts: TakingParts,
  claimed: ClaimedPayment,
  method: PaymentMethod,
): Promise<void> {
  const { logger } = parts;
  const { accountId, paymentId } = claimed.payment;
  try {
    await settle(parts, claimed, await stateOf(parts, claimed, method));
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    logger.warn(
      { accountId, paymentId, error: error.message },
      "the outcome of a payment is unknown",
    );
    await putOff(parts, claimed, null);
  }
}

/**
 * Charges what the gateway was never called for. After that it is asked first; what it knows nothing
 * of it is asked for again under the same key, which cannot charge twice, as long as it keeps keys.
 */
async function stateOf(
  { gateway, now }: TakingParts,
  claimed: ClaimedPayment,
  method: PaymentMethod,
): Promise<ChargeState> {
  const request = requestOf(claimed, method);
  if (claimed.calls === 1) return gateway.charge(request);
  const found = await gateway.find(request);
  if (found !== null) return found;
  return now() - claimed.attemptedAt < KEY_HOLDS_MS ? gateway.charge(request) : NEVER_REACHED;
}

function requestOf(claimed: ClaimedPayment, { customer, method }: PaymentMethod): ChargeRequest {
  const { accountId, paymentId, amount, currency, createdAt } = claimed.payment;
  const key = paymentKey(claimed);
  return { key, accountId, paymentId, amount, currency, customer, method, createdAt };
}

async function settle(
  parts: TakingParts,
  claimed: ClaimedPayment,
  state: ChargeState,
): Promise<void> {
  if (state.kind === "processing") return putOff(parts, claimed, state.gatewayPayment);
  const { accountId, paymentId } = claimed.payment;
  const outcome = await settlePayment(parts.database, claimed.payment, state, parts.now());
  const code = state.kind === "declined" ? { code: state.decline.code } : {};
  parts.logger.info({ accountId, paymentId, ...outcome, ...code }, `payment ${state.kind}`);
}

async function putOff(
  { database, now }: TakingParts,
  claimed: ClaimedPayment,
  gatewayPayment: string | null,
): Promise<void> {
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (claimed.calls - 1), LONGEST_WAIT_MS);
  const nextTryAt = now() + waitMs;
  await putOffPayment(database, claimed, { nextTryAt, gatewayPayment, reason: UNKNOWN });
}
