/** Where records travel. Names and record fields are what outsiders build on. */
export const TOPICS = {
  usageEvents: "usage.events",
  deadLetters: "usage.dead-letters",
  lowBalance: "billing.low-balance",
  credits: "billing.credits",
  creditsExpiring: "billing.credits-expiring",
  balances: "billing.balances",
} as const;

/** The name under which metering keeps its place in `consumer_offset`; also its Kafka group. */
export const METERING = "metering";

/** Whose places in `usage.events` the books keep. */
export const USAGE_READER = { consumer: METERING, topic: TOPICS.usageEvents } as const;
