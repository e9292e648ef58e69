import { randomUUID } from "node:crypto";
import { BEHAVIOURS } from "./cards.ts";
import type { Payment, TakenBack } from "./payment.ts";
import type { WebhookEvent, Webhooks } from "./webhooks.ts";

const LATE_MS = 2_000;

/** Stripe's event types, so that a receiver treats both gateways alike. */
type EventType =
  | "payment_intent.succeeded"
  | "payment_intent.payment_failed"
  | "refund.created"
  | "charge.dispute.created";

/** Sends the outcome of a payment; none while it is processing. */
export function sendPaymentWebhook(webhooks: Webhooks, payment: Payment, now: number): void {
  if (payment.status === "processing") return;
  const isPaid = payment.status === "succeeded";
  const type = isPaid ? "payment_intent.succeeded" : "payment_intent.payment_failed";
  send(webhooks, payment, eventOf(type, payment.id, payment, now));
}

/** Sends that a payment was refunded or charged back. */
export function sendReturnWebhook(
  webhooks: Webhooks,
  payment: Payment,
  { id, kind }: TakenBack,
  now: number,
): void {
  const type = kind === "refund" ? "refund.created" : "charge.dispute.created";
  send(webhooks, payment, eventOf(type, id, payment, now));
}

/** Sends a webhook as often and as late as the payment's card demands. */
function send(webhooks: Webhooks, { behaviour }: Payment, event: WebhookEvent): void {
  const manner = BEHAVIOURS[behaviour].webhooks;
  if (manner === "none") return;
  webhooks.post(event, manner === "late" ? LATE_MS : 0);
  if (manner === "twice") webhooks.post(event);
}

/** `objectId` is the payment, refund or chargeback. */
function eventOf(
  type: EventType,
  objectId: string,
  { accountId, paymentId }: Payment,
  now: number,
): WebhookEvent {
  const id = `evt_${randomUUID()}`;
  const metadata = { account_id: accountId, payment_id: paymentId };
  const created = Math.floor(now / 1000);
  const json = JSON.stringify({
    id,
    object: "event",
    type,
    created,
    data: { object: { id: objectId, metadata } },
  });
  return { id, json };
}
