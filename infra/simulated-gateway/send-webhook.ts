import { BEHAVIOURS } from "./cards.ts";
import type { Payment, TakenBack } from "./payment.ts";
import { type EventType, webhookEvent } from "./webhook-event.ts";
import type { Webhooks } from "./webhooks.ts";

const LATE_MS = 2_000;

/** Sends the outcome of a payment; none while it is processing. */
export function sendPaymentWebhook(webhooks: Webhooks, payment: Payment, now: number): void {
  if (payment.status === "processing") return;
  const isPaid = payment.status === "succeeded";
  const type = isPaid ? "payment_intent.succeeded" : "payment_intent.payment_failed";
  send(webhooks, payment, { type, objectId: payment.id }, now);
}

/** Sends that a payment was refunded or charged back. */
export function sendReturnWebhook(
  webhooks: Webhooks,
  payment: Payment,
  { id, kind }: TakenBack,
  now: number,
): void {
  const type = kind === "refund" ? "refund.created" : "charge.dispute.created";
  send(webhooks, payment, { type, objectId: id }, now);
}

/** Sends a webhook as often and as late as the payment's card demands. */
function send(
  webhooks: Webhooks,
  payment: Payment,
  { type, objectId }: { readonly type: EventType; readonly objectId: string },
  now: number,
): void {
  const manner = BEHAVIOURS[payment.behaviour].webhooks;
  if (manner === "none") return;
  const event = webhookEvent(type, objectId, payment, now);
  webhooks.post(event, manner === "late" ? LATE_MS : 0);
  if (manner === "twice") webhooks.post(event);
}
