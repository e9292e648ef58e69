import Stripe from "stripe";
import { z } from "zod";
import { type PaymentNamed, WebhookRefused } from "../payment-gateway.ts";

/** A webhook that was signed longer ago may be one that somebody has recorded and sends again. */
const TOLERANCE_SECONDS = 300;

const namingOurs = z.object({
  data: z.object({
    object: z.object({
      metadata: z.object({ account_id: z.string(), payment_id: z.string() }),
    }),
  }),
});

/**
 * Which payment a webhook is about, by the metadata of its object, once the signature (the header
 * `Stripe-Signature`) and its age are checked against the body as it came; null: none of ours.
 * Throws WebhookRefused, and an Error where `secret` is empty: anyone could sign with that.
 */
export function readSignedWebhook(
  rawBody: Buffer,
  signature: string | undefined,
  secret: string,
): PaymentNamed | null {
  if (secret.trim() === "") throw new Error("the secret that webhooks are signed with is empty");
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
    // Its first sentence says why. The rest is advice, and the error carries the body: not for a log.
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split(/\.\s|\n/, 1);
    throw new WebhookRefused(`the webhook is refused: ${why}`);
  }
}
