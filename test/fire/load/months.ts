/** The instants of a run in which a month turns, in milliseconds; months are those of UTC. */
export interface Months {
  /** When accounts subscribe: so long before that their second lot ends as the month turns. */
  readonly opensAt: number;
  /** Where the clocks go on once they have: a little before load and faults begin. */
  readonly arrivesAt: number;
  /** The turn in the middle of load and faults. */
  readonly turnsAt: number;
}

const DAY_MS = 86_400_000;
const OPENS_BEFORE_MS = 10 * DAY_MS;
/** What fell due since the accounts were opened is posted by then. */
const SETTLES_WITHIN_MS = 20_000;

/**
 * The month that turns is the last one that has, by this machine's clock: what Kafka keeps of records
 * may not be ahead of its own.
 */
export function monthsOf(now: number, runsForMs: number): Months {
  const date = new Date(now);
  const first = (months: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
  const turnsAt = first(0);
  return {
    opensAt: first(-2) - OPENS_BEFORE_MS,
    arrivesAt: turnsAt - runsForMs / 2 - SETTLES_WITHIN_MS,
    turnsAt,
  };
}
