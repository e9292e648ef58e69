import {
  type ExpectedCosts,
  type RecordDifference,
  sharedOut,
} from "../core/history/verify-usage.ts";
import type { MicroCredits, Stretch } from "../core/line/credit-line.ts";
import { placeInDraw } from "../core/line/place-in-draw.ts";
import { type EventName, identityOf, type ReceivedEvent } from "../core/usage/usage-event.ts";
import { paidByExpired } from "../ledger/books/expired-lots.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import {
  drawnWithin,
  positionOf,
  type RecordBefore,
  recordBefore,
  startAfter,
} from "../ledger/proof/line-neighbours.ts";
import type { OnLine, PlacedDifference } from "./difference.ts";

/** Looks up where the events of one account's differences drew on its line. */
export async function placeOnLine(
  transaction: Transaction,
  accountId: string,
  differences: readonly RecordDifference[],
): Promise<PlacedDifference[]> {
  const inQuestion = differences.flatMap(namesOf);
  const position = await positionOf(transaction, accountId);
  const placed = new Map<string, OnLine>();
  for (const run of await runsOf(transaction, accountId, differences)) {
    const { start, end } = await roomOf(run);
    const known = await drawnWithin(transaction, accountId, { start, end }, inQuestion);
    const events = run.events.map(({ event }) => identityOf(event));
    const inRun = new Map(run.events.map((one) => [identityOf(one.event), one]));
    const places = placeInDraw(
      { start, end, events },
      { records: new Map(), entries: known },
      inRun,
    );
    for (const { event, givenBack, costs } of run.events) {
      const place = places.get(identityOf(event));
      if (place === undefined) continue;
      const { version, drawnAt } = run.before ?? { version: 1n, drawnAt: event.occurredAt };
      const credits = place.end - place.start + givenBack;
      const lineCredits = sharedOut(costs, credits);
      const drawn = { start: place.start, credits, lineCredits, givenBack };
      placed.set(identityOf(event), { ...drawn, version, drawnAt });
    }
  }
  const result: PlacedDifference[] = [];
  for (const difference of differences) {
    const onLine = placed.get(identityOf(eventOf(difference))) ?? null;
    result.push({ ...difference, onLine, isDrawn: await isDrawn(difference) });
  }
  return result;

  async function roomOf({ before, events }: Run): Promise<Stretch> {
    const start = before?.end ?? 0n;
    const last = events.at(-1);
    if (last === undefined) return { start, end: start };
    const next = await startAfter(transaction, last.event, inQuestion);
    return { start, end: next ?? position };
  }

  /** A record that was added later lies where another drew, or beyond all that was drawn. */
  async function isDrawn(difference: RecordDifference): Promise<boolean> {
    if (!("record" in difference) || difference.record.accountId !== accountId) return false;
    const { record } = difference;
    const { start } = record;
    if (start + record.credits - record.givenBack > position) return false;
    const first = { start, end: start + 1n };
    return (await drawnWithin(transaction, accountId, first, [record])).length === 0;
  }
}

/** An event that should have a record, and what it should have drawn. */
interface ExpectedUsage extends ExpectedCosts {
  readonly event: ReceivedEvent;
  readonly givenBack: MicroCredits;
}

/** Events in question that no other of their partition lies between, in the order of their offsets. */
interface Run {
  readonly before: RecordBefore | null;
  readonly events: readonly ExpectedUsage[];
}

async function runsOf(
  transaction: Transaction,
  accountId: string,
  differences: readonly RecordDifference[],
): Promise<Run[]> {
  const inQuestion = differences.flatMap(namesOf);
  const runs = new Map<string, { before: RecordBefore | null; events: ExpectedUsage[] }>();
  const expected = differences.flatMap((difference) => expectedUsage(difference, accountId));
  for (const { event, credits, orMore, costs } of expected.sort(byOffset)) {
    const paid = await paidByExpired(transaction, accountId, event);
    const givenBack = paid.reduce((sum, one) => sum + one.credits, 0n);
    const before = await recordBefore(transaction, event, inQuestion);
    const key = `${event.partition} ${before?.end} ${before?.version}`;
    const run = runs.get(key) ?? { before, events: [] };
    run.events.push({ event, credits: credits - givenBack, orMore, costs, givenBack });
    runs.set(key, run);
  }
  return [...runs.values()];
}

function byOffset({ event: a }: { event: ReceivedEvent }, { event: b }: { event: ReceivedEvent }) {
  return a.partition - b.partition || (a.offset < b.offset ? -1 : Number(a.offset > b.offset));
}

/** The usage that the account should have by the topic: one event or none. */
function expectedUsage(
  difference: RecordDifference,
  accountId: string,
): (ExpectedCosts & { readonly event: ReceivedEvent })[] {
  switch (difference.kind) {
    case "missing_record":
    case "other_content":
    case "other_account":
      return difference.event.accountId === accountId ? [difference] : [];
    case "other_price":
      return difference.credits === null ? [] : [{ ...difference, event: difference.record }];
    case "extra_record":
      return [];
  }
}

/** The record in the books may have another source than its event. */
function namesOf(difference: RecordDifference): EventName[] {
  return "record" in difference ? [eventOf(difference), difference.record] : [eventOf(difference)];
}

function eventOf(difference: RecordDifference): ReceivedEvent {
  return "event" in difference ? difference.event : difference.record;
}
