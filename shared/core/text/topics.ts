/** Where records travel. Names and record fields are what outsiders build on. */
export const TOPICS = {
  usageEvents: "usage.events",
  deadLetters: "usage.dead-letters",
  lowBalance: "billing.low-balance",
  credits: "billing.credits",
  topUps: "billing.top-ups",
  creditsExpiring: "billing.credits-expiring",
  balances: "billing.balances",
} as const;

/** The name under which metering keeps its place in `consumer_offset`; also its Kafka group. */
export const METERING = "metering";

/** Whose places in `usage.events` the books keep. */
export const USAGE_READER = { consumer: METERING, topic: TOPICS.usageEvents } as const;

/** The name under which the top-up service keeps its place in `billing.low-balance`; also its Kafka group. */
export const TOP_UP = "top-up";

/** Whose places in `billing.low-balance` the books keep. */
export const LOW_BALANCE_READER = { consumer: TOP_UP, topic: TOPICS.lowBalance } as const;
