import { BEHAVIOURS } from "./cards.ts";
import type { Payment, TakenBack } from "./payment.ts";
import { type EventType, webhookEvent } from "./webhook-event.ts";
import type { Webhooks } from "./webhooks.ts";

const LATE_MS = 2_000;

/** Says by webhook how a payment came out; one that is under way says nothing yet. */
export function announcePayment(webhooks: Webhooks, payment: Payment, now: number): void {
  if (payment.status === "processing") return;
  const isPaid = payment.status === "succeeded";
  const type = isPaid ? "payment_intent.succeeded" : "payment_intent.payment_failed";
  announce(webhooks, payment, { type, objectId: payment.id }, now);
}

/** Says by webhook that money went back. */
export function announceTakenBack(
  webhooks: Webhooks,
  payment: Payment,
  { id, kind }: TakenBack,
  now: number,
): void {
  const type = kind === "refund" ? "refund.created" : "charge.dispute.created";
  announce(webhooks, payment, { type, objectId: id }, now);
}

/** As often and as late as the payment's card has it. */
function announce(
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
