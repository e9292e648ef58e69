import type { Instant } from "../../shared/core/line/account.ts";
import type { PaymentMethod } from "../../shared/core/payments/attempt.ts";
import type { Decline, DeclineReason } from "../../shared/core/payments/decline.ts";
import {
  type ClaimedPayment,
  checkPaymentNow,
  putOffPayment,
} from "../../shared/ledger/payments/claim.ts";
import {
  type ChargeMade,
  type ChargeRequest,
  type ChargeState,
  OutcomeUnknown,
} from "./gateways/payment-gateway.ts";
import type { PaymentContext } from "./payment-context.ts";
import { paymentKey } from "./payment-key.ts";
import { returnMoney } from "./return-money.ts";
import type { Settle } from "./settle-in-sets.ts";

/** The gateway is asked again after 1, 2, 4, ... seconds, finally every five minutes. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** Gateways keep a key for at least a day (Stripe). Later, the same request might charge again. */
const KEY_HOLDS_MS = 23 * 60 * 60 * 1000;

/** The gateway's clock may be behind by this much; more costs a question for each payment. */
const CLOCKS_APART_MS = 60_000;

export interface ChargeContext extends PaymentContext {
  readonly settle: Settle;
}

const UNKNOWN = "The payment is being confirmed with the bank.";
const NO_METHOD = declinedHere("hard", "no_payment_method");
const NEVER_REACHED = declinedHere("soft", "never_reached");

/** A decline without the gateway. */
function declinedHere(kind: Decline["kind"], reason: DeclineReason): ChargeState {
  return { kind: "declined", gatewayPayment: null, decline: { kind, reason, code: reason } };
}

/**
 * Processes a claimed payment: charges it, asks about it or refunds it, and posts the outcome. An
 * unknown outcome stays pending and is asked about later. After a crash, the process that claims the
 * payment next begins by asking.
 */
export async function processPayment(
  context: ChargeContext,
  claimed: ClaimedPayment,
): Promise<void> {
  const { payment } = claimed;
  switch (payment.status) {
    case "pending":
      return await charge(context, claimed);
    case "succeeded":
      return await returnMoney(context, claimed);
    case "retrying":
    case "failed":
    case "invoiced":
      // There is nothing to refund; a fee's next attempt is pending when it is claimed.
      return await putOffPayment(context.database, claimed, DONE);
  }
}

const DONE = { nextTryAt: null, gatewayPayment: null, reason: null } as const;

async function charge(context: ChargeContext, claimed: ClaimedPayment): Promise<void> {
  const { logger } = context;
  const { accountId, paymentId } = claimed.payment;
  try {
    await settle(context, claimed, await stateOf(context, claimed));
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    logger.warn(
      { accountId, paymentId, error: error.message },
      "the outcome of a payment is unknown",
    );
    await putOff(context, claimed, null);
  }
}

/**
 * The first call charges. Later calls ask the gateway first, by the charge's id once that is known, and send an unknown
 * charge again under the same key, which cannot charge twice as long as the gateway keeps keys. So does the first call
 * of a payment that is older than that: books that went back may have forgotten one, and that it was declined.
 */
async function stateOf(
  { gateway, now }: PaymentContext,
  claimed: ClaimedPayment,
): Promise<ChargeState> {
  if (claimed.gatewayPayment !== null) return gateway.stateOf(claimed.gatewayPayment);
  if (claimed.method === null) return NO_METHOD;
  const request = requestOf(claimed, claimed.method);
  const isKeyKeptSince = (at: Instant) => now() - at < KEY_HOLDS_MS;
  if (claimed.calls === 1 && isKeyKeptSince(request.createdAt)) return gateway.charge(request);
  const found = await gateway.find(request);
  if (found !== null && !isOfOthers(found, claimed)) return found;
  const isUnsent = found === null || claimed.calls === 1;
  return isUnsent && isKeyKeptSince(claimed.attemptedAt) ? gateway.charge(request) : NEVER_REACHED;
}

function requestOf(claimed: ClaimedPayment, { customer, method }: PaymentMethod): ChargeRequest {
  const { accountId, paymentId, amount, currency, createdAt } = claimed.payment;
  const key = paymentKey(claimed);
  return { key, accountId, paymentId, amount, currency, customer, method, createdAt };
}

async function settle(
  context: ChargeContext,
  claimed: ClaimedPayment,
  state: ChargeState,
): Promise<void> {
  if (state.kind === "processing") return putOff(context, claimed, state.gatewayPayment);
  const { payment } = claimed;
  const { accountId, paymentId } = payment;
  // First, since posting keeps it: a crash between them loses neither.
  if (state.kind === "succeeded" && isOfBefore(state.made, claimed)) {
    await checkPaymentNow(context.database, payment, context.now());
  }
  const outcome = await context.settle({ payment, outcome: state });
  const code = state.kind === "declined" ? { code: state.decline.code } : {};
  context.logger.info({ accountId, paymentId, ...outcome, ...code }, `payment ${state.kind}`);
}

/** The charge was made before its attempt, for books that went back since: money of it may have gone back, too. */
function isOfBefore(made: ChargeMade | undefined, { attemptedAt }: ClaimedPayment): boolean {
  return made !== undefined && made.createdAt < attemptedAt - CLOCKS_APART_MS;
}

/** A key that books of before have used for other terms: what they charged pays nothing of this payment. */
function isOfOthers(state: ChargeState, { payment }: ClaimedPayment): boolean {
  if (state.kind === "declined" || state.made === undefined) return false;
  return state.made.amount !== payment.amount || state.made.currency !== payment.currency;
}

async function putOff(
  { database, now }: PaymentContext,
  claimed: ClaimedPayment,
  gatewayPayment: string | null,
): Promise<void> {
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (claimed.calls - 1), LONGEST_WAIT_MS);
  const nextTryAt = now() + waitMs;
  await putOffPayment(database, claimed, { nextTryAt, gatewayPayment, reason: UNKNOWN });
}
