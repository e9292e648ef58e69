import { least, type MicroCredits, type Stretch } from "./credit-line.ts";

/** What one transaction drew from an account's line, and its events in order, each under a name of its own. */
export interface DrawnStretch extends Stretch {
  readonly events: readonly string[];
}

/** What else drew in and around a draw. */
export interface DrawNeighbours {
  /** The stretches of its events' records, by event. */
  readonly records: ReadonlyMap<string, Stretch>;
  /** The stretches that entries drew, oldest first. */
  readonly entries: readonly Stretch[];
}

/** What an event should cost, in micro-credits; each of its lines may have completed one that was carried to it. */
export interface ExpectedCost {
  readonly credits: MicroCredits;
  /** How many more it may have cost. */
  readonly orMore: bigint;
}

/**
 * Finds where on the line events with missing or wrong records drew, given what each should cost.
 * Events must fill the gap between their neighbours exactly; those that do not are left out. Of events
 * that may have cost more, the first ones did. Returns each event's stretch, by event.
 */
export function placeInDraw(
  draw: DrawnStretch,
  known: DrawNeighbours,
  inQuestion: ReadonlyMap<string, ExpectedCost>,
): Map<string, Stretch> {
  const places = new Map<string, Stretch>();
  let from = draw.start;
  let run: string[] = [];
  for (const event of draw.events) {
    const record = known.records.get(event);
    if (record === undefined || inQuestion.has(event)) {
      run.push(event);
      continue;
    }
    placeRun(run, { start: from, end: record.start });
    run = [];
    from = record.end;
  }
  placeRun(run, { start: from, end: draw.end });
  return places;

  function placeRun(events: readonly string[], between: Stretch): void {
    const room = roomIn(between, known.entries);
    const run = costsIn(room, events, inQuestion);
    for (const [event, stretch] of fill(room, run, between.start)) places.set(event, stretch);
  }
}

interface DrawnEvent {
  readonly event: string;
  /** Undefined: not known. */
  readonly credits: MicroCredits | undefined;
}

/** What each event cost, if together they fill the gaps. */
function costsIn(
  room: readonly Stretch[],
  events: readonly string[],
  inQuestion: ReadonlyMap<string, ExpectedCost>,
): DrawnEvent[] {
  let more = room.reduce((sum, { start, end }) => sum + end - start, 0n);
  for (const event of events) more -= inQuestion.get(event)?.credits ?? 0n;
  return events.map((event) => {
    const expected = inQuestion.get(event);
    if (expected === undefined || more <= 0n) return { event, credits: expected?.credits };
    const added = least(expected.orMore, more);
    more -= added;
    return { event, credits: expected.credits + added };
  });
}

/** The stretches of events that fill the gaps one after the other; empty if they do not fill them exactly. */
function fill(
  room: readonly Stretch[],
  run: readonly DrawnEvent[],
  from: MicroCredits,
): Map<string, Stretch> {
  const places = new Map<string, Stretch>();
  const gaps = [...room];
  let at = gaps[0]?.start ?? from;
  for (const { event, credits } of run) {
    if (credits === undefined) return new Map();
    if (credits > 0n && at === gaps[0]?.end) {
      gaps.shift();
      at = gaps[0]?.start ?? at;
    }
    const end = gaps[0]?.end ?? at;
    if (at + credits > end) return new Map();
    places.set(event, { start: at, end: at + credits });
    at += credits;
  }
  const isFull = gaps.length === 0 || (gaps.length === 1 && at === gaps[0]?.end);
  return isFull ? places : new Map();
}

/** The parts of a stretch that no entry drew. */
function roomIn(between: Stretch, entries: readonly Stretch[]): Stretch[] {
  const room: Stretch[] = [];
  let start = between.start;
  for (const entry of entries) {
    if (entry.end <= start || entry.start >= between.end) continue;
    if (entry.start > start) room.push({ start, end: entry.start });
    start = entry.end;
  }
  if (start < between.end) room.push({ start, end: between.end });
  return room;
}
