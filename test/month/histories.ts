import { readTrace } from "../../infra/demo/trace.ts";
import { type HistoryShape, makeHistory, withScheduler } from "../model/month-histories.ts";
import type { MonthHistory, TracedUse } from "../model/month-history.ts";

/** Requests of a real service, from which all usage is sampled. */
const TRACE: readonly TracedUse[] = (await readTrace()).map(
  ({ afterMs, inputTokens, outputTokens }) => ({
    seconds: afterMs / 1_000,
    tokens: Number(inputTokens + outputTokens),
  }),
);

export function historyOf(seed: number, shape: Omit<HistoryShape, "seed" | "trace">): MonthHistory {
  return makeHistory({ seed, trace: TRACE, ...shape });
}

/**
 * With a scheduler that runs once a month, when the month has turned in every zone and the grace is
 * over; four months in ten it is down.
 */
export function settledMonthly(history: MonthHistory): MonthHistory {
  return withScheduler(history, (at, before) => {
    const month = new Date(at).getUTCFullYear() * 12 + new Date(at).getUTCMonth();
    return before < whenTurned(at) && at >= whenTurned(at) && month % 10 < 6;
  });
}

/** With a scheduler that runs once a day. */
export function settledDaily(history: MonthHistory): MonthHistory {
  return withScheduler(history, (at, before) => Math.floor(at / DAY) > Math.floor(before / DAY));
}

const DAY = 24 * 60 * 60_000;

/** The last zone's midnight of the first comes at 12:00 UTC. */
function whenTurned(at: number): number {
  const month = new Date(at);
  return Date.UTC(month.getUTCFullYear(), month.getUTCMonth(), 1, 12, 15);
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
