import { setTimeout as wait } from "node:timers/promises";
import Stripe from "stripe";
import { OutcomeUnknown } from "../payment-gateway.ts";

/**
 * What a call to Stripe throws. Stripe's own error is not handed on as the cause: it carries the
 * payment intent with its client secret, and would be logged.
 */
export function failureOf(error: unknown, what: string): unknown {
  if (error instanceof Stripe.errors.StripeIdempotencyError) {
    return new Error(`${what}: Stripe knows the key from another request; it takes each key once`);
  }
  if (isKeyRefused(error)) {
    // Its message names the key, if only in part.
    return new OutcomeUnknown(
      `${what}: Stripe refuses the secret key; see that it is the right one`,
    );
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

/** True when Stripe knows no object of the id that was given as `param`. */
export function isMissing(error: unknown, param: "customer" | "intent"): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    error.code === "resource_missing" &&
    error.param === param
  );
}

/**
 * What `call` gives, if within `limitMs`; else throws OutcomeUnknown, and what comes later counts
 * for nothing. Stripe's client has a limit for a silent connection only: several pages, or an answer
 * in trickles, would take longer.
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
