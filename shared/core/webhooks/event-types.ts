import { TOPICS } from "../text/topics.ts";

/** What webhooks can be asked for: the topics of events that concern people outside. */
export const EVENT_TYPES = [
  TOPICS.lowBalance,
  TOPICS.credits,
  TOPICS.topUps,
  TOPICS.payments,
  TOPICS.holds,
  TOPICS.creditsExpiring,
  TOPICS.alerts,
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The field of a type's record that says when it happened. */
export const TIME_FIELD: { readonly [T in EventType]: string } = {
  "billing.low-balance": "occurred_at",
  "billing.credits": "posted_at",
  "billing.top-ups": "changed_at",
  "billing.payments": "changed_at",
  "billing.holds": "changed_at",
  "billing.credits-expiring": "noticed_at",
  "billing.alerts": "raised_at",
};
