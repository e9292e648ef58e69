import { ADD_ON_IDS, PLAN_IDS } from "./history-catalogue.ts";
import { type Outage, ZONES } from "./history-ticks.ts";
import type { AccountStep, HistoryAccount, TracedUse } from "./month-history.ts";
import type { Random } from "./random.ts";

/** What one account does over the months: uses credits and makes changes. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CREDIT = 1_000_000;

const THRESHOLDS = [0, 0, 5 * CREDIT, 50 * CREDIT, -3 * CREDIT];

export interface HistoryWorld {
  readonly ticks: readonly number[];
  readonly outages: readonly Outage[];
  readonly months: number;
  readonly trace: readonly TracedUse[];
  readonly eventsAMonth: number;
  readonly changesAMonth: number;
}

export function accountsFrom(count: number, random: Random): HistoryAccount[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `a${index + 1}`,
    timeZone: random.pick(ZONES),
    currency: random.chance(0.2) ? "EUR" : "USD",
    threshold: random.pick(THRESHOLDS),
  }));
}

/** All but those in the pause that some accounts make. */
function monthsHeardOf(months: number, random: Random): number[] {
  const pause = random.chance(0.3) ? random.whole(months) : months;
  const end = pause + random.between(2, 6);
  return Array.from({ length: months }, (_, month) => month).filter(
    (month) => month < pause || month >= end,
  );
}

/** Not sorted by time. */
export function stepsOf(
  { id }: HistoryAccount,
  world: HistoryWorld,
  random: Random,
): AccountStep[] {
  const perMonth = Math.ceil(world.ticks.length / world.months);
  const steps: AccountStep[] = [];
  const lots = ["plan:1:0"];
  const joins = random.whole(perMonth);
  if (random.chance(0.95)) steps.push(subscribe(joins));
  for (const month of monthsHeardOf(world.months, random)) {
    const from = Math.max(month * perMonth, joins);
    const to = Math.min((month + 1) * perMonth, world.ticks.length) - 1;
    if (from > to) continue;
    lots.push(`plan:1:${Math.max(month - 1, 0)}`);
    const events = random.between(1, 2 * world.eventsAMonth - 1);
    for (let count = 0; count < events; count += 1) steps.push(use(random.between(from, to)));
    if (random.chance(world.changesAMonth * 0.7)) steps.push(...change(random.between(from, to)));
    if (random.chance(world.changesAMonth * 0.1)) {
      const tick = random.between(from, to);
      for (let count = 0; count < 3; count += 1) steps.push(...change(tick));
    }
  }
  return steps;

  function at(tick: number): number {
    return world.ticks[Math.min(tick, world.ticks.length - 1)] ?? 0;
  }

  function use(tick: number): AccountStep {
    const again = random.chance(0.01) ? steps.findLast(({ kind }) => kind === "use") : undefined;
    const planned = at(tick);
    const outage = world.outages.find(({ from, until }) => from <= planned && planned < until);
    const taken = Math.min(outage?.until ?? planned, at(world.ticks.length - 1));
    if (again?.kind === "use") return { ...again, at: Math.max(taken, again.at) };
    const { seconds, tokens } = random.pick(world.trace);
    // Some at the very instant of a turn, where lots end.
    const occurredAt = random.chance(0.05)
      ? at(Math.max(0, tick - random.whole(8)))
      : planned - ago(Math.round(seconds * 1_000));
    const event = steps.length + 1;
    return { at: taken, kind: "use", account: id, event, tokens, occurredAt };
  }

  /**
   * Most usage comes within the trace's hour; some immediately, ahead of the clock, days late, or too
   * late.
   */
  function ago(traced: number): number {
    return random.pickWeighted([
      [70, traced],
      [15, random.whole(MINUTE)],
      [3, -random.whole(4 * MINUTE)],
      [9, traced + random.whole(3 * DAY)],
      [2.7, traced + random.whole(30 * DAY)],
      [0.3, -10 * MINUTE],
      [0.3, 40 * DAY],
    ]);
  }

  function subscribe(tick: number): AccountStep {
    return {
      at: at(tick),
      kind: "subscribe",
      account: id,
      plan: planId(),
      interval: random.chance(0.3) ? "year" : "month",
      renewal: random.chance(0.4) ? "day_of_month" : "first_of_month",
    };
  }

  function change(tick: number): AccountStep[] {
    const step = { at: at(tick), account: id };
    const make = random.pickWeighted<() => AccountStep[]>([
      [5, () => [{ ...step, kind: "change plan", plan: planId() }]],
      [6, () => [{ ...step, kind: "set add-on", ...addOn() }]],
      [2, () => [{ ...step, kind: "change interval", interval: random.pick(["month", "year"]) }]],
      [2, () => [{ ...step, kind: "cancel" }, afterwards(tick)]],
      [3, () => unpaid(tick)],
      [1, () => [{ ...step, kind: "resume" }]],
      [1, () => [subscribe(tick)]],
      [1, () => [{ ...step, kind: "change zone", timeZone: random.pick(ZONES) }]],
      [3, () => [promotion(tick)]],
      [2, () => [withdrawal(tick)]],
    ]);
    return make();
  }

  /** Every cancelled subscription is resumed before its end or started again after it. */
  function afterwards(tick: number): AccountStep {
    if (random.chance(0.5)) return subscribe(tick + random.between(perMonth, 3 * perMonth));
    return { at: at(tick + random.whole(perMonth)), kind: "resume", account: id };
  }

  /** A fee is given up, and most are paid after all: soon, or months later. */
  function unpaid(tick: number): AccountStep[] {
    const number = random.pick([1, 1, 1, 2]);
    const fee = { account: id, number, period: random.whole(world.months) };
    const step = { at: at(tick), account: id };
    const interval = random.pick(["month", "year"] as const);
    const steps: AccountStep[] = random.chance(0.5)
      ? [{ ...step, kind: "change interval", interval }]
      : [];
    steps.push({ at: at(tick), kind: "fee given up", ...fee });
    if (random.chance(0.15)) return steps;
    const later = at(tick + random.whole(random.pick([1, 3, 6]) * perMonth));
    if (random.chance(0.2)) steps.push({ at: later, account: id, kind: "cancel" });
    const owing = random.chance(0.1) ? 1 : 0;
    return [...steps, { at: later, kind: "fee paid", ...fee, owing }];
  }

  function planId(): string {
    return random.chance(0.03) ? "no-such-plan" : random.pick(PLAN_IDS);
  }

  function addOn(): { addOn: string; quantity: number } {
    const id = random.chance(0.03) ? "no-such-add-on" : random.pick(ADD_ON_IDS);
    return { addOn: id, quantity: random.pick([0, 0, 1, 1, 2, 3, 5, 8]) };
  }

  function promotion(tick: number): AccountStep {
    const lot = `promotion-${steps.length + 1}`;
    const given = at(tick);
    lots.push(lot);
    const end = random.pickWeighted<Extract<AccountStep, { kind: "grant" }>["end"]>([
      [3, { kind: "usual" }],
      [1, { kind: "never" }],
      [4, { kind: "at", at: given + random.between(1, 90 * DAY) }],
      [2, { kind: "at", at: Math.max(at(tick + random.whole(2 * perMonth)), given + 1) }],
    ]);
    const credits = random.between(1, 120 * CREDIT);
    return { at: given, kind: "grant", account: id, lot, credits, end };
  }

  function withdrawal(tick: number): AccountStep {
    const credits = random.chance(0.3) ? null : random.between(1, 60 * CREDIT);
    const lot = random.pick(lots.slice(-4));
    return { at: at(tick), kind: "withdraw", account: id, lot, credits };
  }
}
