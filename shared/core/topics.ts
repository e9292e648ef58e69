/** Where records travel. Names and record fields are what outsiders build on. */
export const TOPICS = {
  usageEvents: "usage.events",
  deadLetters: "usage.dead-letters",
  lowBalance: "billing.low-balance",
  balances: "billing.balances",
} as const;
