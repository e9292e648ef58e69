/** A transaction within this time leaves others waiting for its accounts no longer than they can bear. */
const SHORT_MS = 1_000;
/** A fifth of the time after which Kafka gives a silent consumer's partitions to others. */
const LONG_MS = 2_000;
const LEAST_EVENTS = 5_000;

/** How many events a transaction takes, at most. */
export interface BatchSize {
  most(): number;
  /** Takes note of a transaction: of so many events, in so much time. */
  took(events: number, ms: number): void;
}

/**
 * Widens batches while they are full and quick, up to `limit`: a debit costs by the account, so the fewer
 * transactions the cheaper an event. Halves them when they take long, on a slow database or of many accounts.
 */
export function batchSize(limit: number): BatchSize {
  let most = Math.min(limit, LEAST_EVENTS);
  return {
    most: () => most,
    took(events, ms) {
      if (ms > LONG_MS) most = Math.max(Math.floor(most / 2), Math.min(limit, LEAST_EVENTS));
      else if (ms < SHORT_MS && events > most / 2) most = Math.min(limit, 2 * most);
    },
  };
}
