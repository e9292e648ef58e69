import { setTimeout as wait } from "node:timers/promises";
import Stripe from "stripe";
import { OutcomeUnknown } from "../payment-gateway.ts";

/**
 * Converts an error of Stripe. The original is not kept as the cause, since it contains the payment
 * intent's client secret and would be logged.
 */
export function failureOf(error: unknown, what: string): unknown {
  if (error instanceof Stripe.errors.StripeIdempotencyError) {
    return new Error(`${what}: the idempotency key was used for another request`);
  }
  if (isKeyRefused(error)) {
    // Its message contains part of the key.
    return new OutcomeUnknown(`${what}: Stripe refuses the secret key; check STRIPE_SECRET_KEY`);
  }
  if (error instanceof Stripe.errors.StripeError) {
    const request = error.requestId === undefined ? "" : ` (request ${error.requestId})`;
    return new OutcomeUnknown(`${what}: ${error.message || "Stripe failed"}${request}`);
  }
  return error;
}

function isKeyRefused(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeAuthenticationError ||
    error instanceof Stripe.errors.StripePermissionError
  );
}

/** True if the object whose id was given as `param` does not exist at Stripe. */
export function isMissing(error: unknown, param: "customer" | "intent"): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    error.code === "resource_missing" &&
    error.param === param
  );
}

/**
 * Waits for `call` for at most `limitMs`; then throws OutcomeUnknown. The timeout of Stripe's client
 * only covers a silent connection, not several pages or a slow answer.
 */
export async function within<T>(limitMs: number, what: string, call: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = wait(limitMs, "late" as const, { signal: timer.signal }).then(
    () => {
      throw new OutcomeUnknown(`${what}: no answer from Stripe within ${limitMs} ms`);
    },
    () => call, // the timer is stopped: the call has ended
  );
  try {
    return await Promise.race([call, late]);
  } finally {
    timer.abort();
  }
}
