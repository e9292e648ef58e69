/** All topics. Their names and the fields of their records are public. */
export const TOPICS = {
  usageEvents: "usage.events",
  deadLetters: "usage.dead-letters",
  lowBalance: "billing.low-balance",
  credits: "billing.credits",
  topUps: "billing.top-ups",
  payments: "billing.payments",
  holds: "billing.holds",
  creditsExpiring: "billing.credits-expiring",
  alerts: "billing.alerts",
  balances: "billing.balances",
  balancesComplete: "billing.balances-complete",
} as const;

/** The topics that this version knows. */
export const ALL_TOPICS: readonly string[] = Object.values(TOPICS);

/** Metering's name in `consumer_offset`, and its Kafka group. */
export const METERING = "metering";

/** The consumer whose offsets in `usage.events` the books store. */
export const USAGE_READER = { consumer: METERING, topic: TOPICS.usageEvents } as const;

/** The top-up service's name in `consumer_offset`, and its Kafka group. */
export const TOP_UP = "top-up";

/** The consumer whose offsets in `billing.low-balance` the books store. */
export const LOW_BALANCE_READER = { consumer: TOP_UP, topic: TOPICS.lowBalance } as const;

/** What the names of the webhook service's consumers begin with, in `consumer_offset` and as Kafka groups. */
export const WEBHOOKS = "webhooks-";

/** The consumer of a topic whose records are delivered by webhooks: one for each, since a group reads one topic. */
export function webhookReader(topic: string): {
  readonly consumer: string;
  readonly topic: string;
} {
  return { consumer: `${WEBHOOKS}${topic}`, topic };
}
