import type { Random } from "./random.ts";
import { dayStart, monthsOn } from "./wall-calendar.ts";

/** The instants at which the steps of a history happen. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Ahead of UTC and behind it, whole hours and fractions, some that skip or repeat midnight. */
export const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Los_Angeles",
  "America/Havana",
  "America/Asuncion",
  "America/Santiago",
  "America/St_Johns",
  "Atlantic/Azores",
  "Africa/Cairo",
  "Asia/Beirut",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Asia/Tokyo",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
  "Pacific/Pago_Pago",
  "Etc/GMT+12",
] as const;

/** Metering reads nothing from `from` on, and everything at `until`. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

/** Sorted and distinct: one a day, and more around turns of the month in each zone. */
export function historyTicks(start: number, months: number, random: Random): number[] {
  const end = start + months * 30.5 * DAY;
  const ticks = new Set<number>();
  for (let day = start; day < end; day += DAY) {
    ticks.add(day + random.whole(DAY));
  }
  const firstMonth = `${new Date(start).toISOString().slice(0, 8)}01`;
  for (let month = 1; month <= months; month += 1) {
    const first = monthsOn(firstMonth, month);
    for (const zone of ZONES) addTurn(dayStart(first, zone));
    for (let count = 0; count < 3; count += 1) {
      const date = `${first.slice(0, 8)}${random.between(10, 28)}`;
      addTurn(dayStart(date, random.pick(ZONES)));
    }
  }
  return [...ticks].filter((at) => at < end).sort((a, b) => a - b);

  function addTurn(turn: number): void {
    ticks.add(turn);
    ticks.add(turn - random.pick([1, 1_000, 10 * MINUTE]));
    ticks.add(turn + random.whole(15 * MINUTE));
    ticks.add(turn + 15 * MINUTE);
  }
}

/** Each from one tick to another, hours or days long; the first across a turn of the month. */
export function outagesIn(ticks: readonly number[], count: number, random: Random): Outage[] {
  return Array.from({ length: count }, (_, index) => {
    const near = random.pick(ticks);
    const month = new Date(near);
    const turn = Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1);
    const asked = index === 0 ? turn - random.whole(12 * HOUR) : near;
    const from = ticks.find((at) => at >= asked) ?? near;
    const length = random.between(2, 60) * HOUR;
    return { from, until: ticks.find((at) => at >= from + length) ?? Number.POSITIVE_INFINITY };
  });
}
