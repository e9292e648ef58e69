import { randomUUID } from "node:crypto";
import type { Payment } from "./payment.ts";

/** Stripe's event types, so that a receiver treats both gateways alike. */
export type EventType =
  | "payment_intent.succeeded"
  | "payment_intent.payment_failed"
  | "refund.created"
  | "charge.dispute.created";

export interface WebhookEvent {
  readonly id: string;
  /** The body that is sent. */
  readonly json: string;
}

/** `objectId` is the payment, refund or chargeback. */
export function webhookEvent(
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
