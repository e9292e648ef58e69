import Stripe from "stripe";
import { z } from "zod";
import { type PaymentNamed, WebhookRefused } from "../payment-gateway.ts";

/** An older webhook may be a replay by an attacker. */
const TOLERANCE_SECONDS = 300;

const namingOurs = z.object({
  data: z.object({
    object: z.object({
      metadata: z.object({ account_id: z.string(), payment_id: z.string() }),
    }),
  }),
});

/**
 * The payment that a webhook is about, from its object's metadata, after checking the signature (header
 * `Stripe-Signature`) and its age; null if it is not ours. Throws WebhookRefused, and an Error if
 * `secret` is empty, since anyone could sign with that.
 */
export function readSignedWebhook(
  rawBody: Buffer,
  signature: string | undefined,
  secret: string,
): PaymentNamed | null {
  if (secret.trim() === "") throw new Error("the secret of the webhooks is empty");
  if (signature === undefined) {
    throw new WebhookRefused(
      "the webhook has no signature: its header Stripe-Signature is missing",
    );
  }
  const named = namingOurs.safeParse(verifiedEvent(rawBody, signature, secret));
  if (!named.success) return null;
  const { account_id: accountId, payment_id: paymentId } = named.data.data.object.metadata;
  return { accountId, paymentId };
}

function verifiedEvent(rawBody: Buffer, signature: string, secret: string): unknown {
  try {
    return Stripe.webhooks.constructEvent(rawBody, signature, secret, TOLERANCE_SECONDS);
  } catch (error) {
    // Only the first sentence gives the reason; the error also contains the body, which must not be logged.
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split(/\.\s|\n/, 1);
    throw new WebhookRefused(`the webhook is refused: ${why}`);
  }
}
