import { accountsFrom, stepsOf } from "./account-histories.ts";
import { HISTORY_START } from "./history-catalogue.ts";
import { historyTicks, type Outage, outagesIn } from "./history-ticks.ts";
import type { AccountStep, MonthHistory, MonthStep, TracedUse } from "./month-history.ts";
import { randomFrom } from "./random.ts";

export interface HistoryShape {
  readonly seed: number;
  readonly accounts: number;
  readonly months: number;
  /** The requests that usage is sampled from, with replacement. */
  readonly trace: readonly TracedUse[];
  /** Average per account. */
  readonly eventsAMonth?: number;
  /** The average rate at which an account makes a change or is granted credits; at most 1. */
  readonly changesAMonth?: number;
  /** The number of outages of metering, the first across a turn of the month. */
  readonly outages?: number;
}

/**
 * Makes a history. Steps happen at a few thousand instants that all accounts share (batches are large),
 * many of them at turns of the month. While metering is up, each instant begins with "caught up", so
 * that only an outage delays an expiry; events of an outage are taken right after it.
 */
export function makeHistory(shape: HistoryShape): MonthHistory {
  const { seed, months, trace, eventsAMonth = 8, changesAMonth = 0.5 } = shape;
  const random = randomFrom(seed);
  const ticks = historyTicks(HISTORY_START, months, random);
  const outages = outagesIn(ticks, shape.outages ?? 3, random);
  const accounts = accountsFrom(shape.accounts, random);
  const world = { ticks, outages, months, trace, eventsAMonth, changesAMonth };
  const steps = accounts.flatMap((account) => stepsOf(account, world, random));
  steps.sort((a, b) => a.at - b.at);
  return { seed, accounts, steps: withCaughtUp(steps, outages) };
}

/** The same history with a scheduler that runs at those of its instants for which `when` is true. */
export function withScheduler(
  history: MonthHistory,
  when: (at: number, before: number) => boolean = () => true,
): MonthHistory {
  const steps: MonthStep[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const [at, together] of Map.groupBy(history.steps, (step) => step.at)) {
    const settling = when(at, before) ? [{ at, kind: "settle" } as const] : [];
    before = at;
    const [first, ...others] = together;
    if (first?.kind === "caught up") steps.push(first, ...settling, ...others);
    else steps.push(...settling, ...together);
  }
  return { ...history, steps };
}

function withCaughtUp(steps: readonly AccountStep[], outages: readonly Outage[]): MonthStep[] {
  const all: MonthStep[] = [];
  for (const [at, together] of Map.groupBy(steps, (step) => step.at)) {
    const isDown = outages.some(({ from, until }) => from <= at && at < until);
    const isBackNow = outages.some(({ until }) => until === at);
    const caughtUp = { at, kind: "caught up" } as const;
    if (isDown) all.push(...together);
    else if (isBackNow) all.push(...together, caughtUp);
    else all.push(caughtUp, ...together);
  }
  return all;
}
