import type { Instant } from "../line/account.ts";
import {
  hourOf,
  startOfDay,
  startOfMonth,
  startOfNextDay,
  startOfNextMonth,
} from "../offer/months.ts";

export type UsageStep = "hour" | "day" | "month";

/** The range [from, to) to sum up, and its steps in a time zone (null: one step). */
export interface SummedRange {
  readonly from: Instant;
  readonly to: Instant;
  readonly step: UsageStep | null;
  readonly timeZone: string;
}

const HOUR_MS = 60 * 60 * 1000;

const STEPS = {
  hour: { startOf: hourOf, next: (at: Instant, zone: string) => hourOf(at, zone) + HOUR_MS },
  day: { startOf: startOfDay, next: startOfNextDay },
  month: { startOf: startOfMonth, next: startOfNextMonth },
} as const;

/** Where the steps of a range begin, in order: the first at or before its start. An empty range has none. */
export function stepsOf({ from, to, step, timeZone }: SummedRange): Instant[] {
  if (from >= to) return [];
  if (step === null) return [from];
  const { startOf, next } = STEPS[step];
  const starts: Instant[] = [];
  for (let at = startOf(from, timeZone); at < to; at = next(at, timeZone)) starts.push(at);
  return starts;
}

/** The usage of all meters in one row of spend: of events in [hour, hour + 1 h). */
export interface SpentHour {
  readonly hour: Instant;
  readonly events: bigint;
}

/** Rows of spend that lie wholly in one step: their hours are in [from, to). */
export interface WholeHours {
  /** Its place among the steps. */
  readonly step: number;
  readonly from: Instant;
  readonly to: Instant;
}

/** A stretch of time with a cut inside an hour of spend, and the number of events that occurred in it. */
export interface RaggedHours {
  readonly from: Instant;
  readonly to: Instant;
  readonly events: bigint;
}

/**
 * Divides rows of spend, in order, into those that lie wholly between two cuts and stretches to be read
 * from single records. After a change of zone, hours of both zones may overlap: hours that do are one
 * stretch, which no row crosses. `cuts` are the start of the range, those of its further steps, its end.
 */
export function divideHours(
  hours: readonly SpentHour[],
  cuts: readonly Instant[],
): { readonly whole: readonly WholeHours[]; readonly ragged: readonly RaggedHours[] } {
  const whole: WholeHours[] = [];
  const ragged: RaggedHours[] = [];
  let next = 0;
  for (const block of joinOverlapping(hours)) {
    while ((cuts[next] ?? Number.POSITIVE_INFINITY) <= block.from) next += 1;
    const isCut = (cuts[next] ?? Number.POSITIVE_INFINITY) < block.to;
    if (isCut) extendOrAdd(ragged, block);
    else extendStep(whole, { step: next - 1, from: block.from, to: block.to });
  }
  return { whole, ragged };
}

/** All of the hours (at least one), in order, as one stretch. */
export function spanOf(hours: readonly SpentHour[]): RaggedHours {
  return hours.map(stretchOf).reduce(joined);
}

function stretchOf({ hour, events }: SpentHour): RaggedHours {
  return { from: hour, to: hour + HOUR_MS, events };
}

function joinOverlapping(hours: readonly SpentHour[]): RaggedHours[] {
  const blocks: RaggedHours[] = [];
  for (const block of hours.map(stretchOf)) {
    const last = blocks.at(-1);
    if (last !== undefined && block.from < last.to) blocks[blocks.length - 1] = joined(last, block);
    else blocks.push(block);
  }
  return blocks;
}

function extendOrAdd(ragged: RaggedHours[], block: RaggedHours): void {
  const last = ragged.at(-1);
  if (last?.to === block.from) ragged[ragged.length - 1] = joined(last, block);
  else ragged.push(block);
}

function joined(first: RaggedHours, second: RaggedHours): RaggedHours {
  return { from: first.from, to: second.to, events: first.events + second.events };
}

function extendStep(whole: WholeHours[], part: WholeHours): void {
  const last = whole.at(-1);
  if (last?.step === part.step) whole[whole.length - 1] = { ...last, to: part.to };
  else whole.push(part);
}
