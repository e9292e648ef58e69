import type { RecordDifference } from "../core/history/verify-usage.ts";
import type { MicroCredits, Stretch } from "../core/line/credit-line.ts";
import { type ExpectedCost, placeInDraw } from "../core/line/place-in-draw.ts";
import { type EventIdentity, identityOf } from "../core/usage/usage-event.ts";
import { paidByExpired } from "../ledger/books/expired-lots.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import { findRecordedUsage } from "../ledger/proof/recorded-usage.ts";
import { drawnByEntries, findDraws, type WrittenDraw } from "../ledger/usage/find-draws.ts";
import type { OnLine, PlacedDifference } from "./difference.ts";

/** Looks up where the events of one account's differences drew on its line. */
export async function placeOnLine(
  transaction: Transaction,
  accountId: string,
  differences: readonly RecordDifference[],
): Promise<PlacedDifference[]> {
  const costs = new Map<string, ExpectedCost>();
  const givenBack = new Map<string, MicroCredits>();
  for (const difference of differences) {
    const expected = expectedUsage(difference, accountId);
    if (expected === null) continue;
    const paid = await paidByExpired(transaction, accountId, expected.event);
    const given = paid.reduce((sum, { credits }) => sum + credits, 0n);
    const { credits, orOneMore } = expected;
    givenBack.set(identityOf(expected.event), given);
    costs.set(identityOf(expected.event), { credits: credits - given, orOneMore });
  }
  const named = differences.map(eventOf);
  const draws = await findDraws(
    transaction,
    accountId,
    named.map(({ eventId }) => eventId),
  );
  const placed = new Map<string, OnLine>();
  const drawn = new Set<string>();
  for (const draw of draws) {
    const names = namesIn(draw, accountId, named);
    for (const name of names) drawn.add(name);
    const known = await knownAround(transaction, accountId, draw, names);
    const places = placeInDraw({ ...draw, events: names }, known, costs);
    for (const [name, { start, end }] of places) {
      const given = givenBack.get(name) ?? 0n;
      const credits = end - start + given;
      placed.set(name, { start, credits, givenBack: given, drawnAt: draw.drawnAt });
    }
  }
  return differences.map((difference) => {
    const identity = identityOf(eventOf(difference));
    const hasRecord = "record" in difference && difference.record.accountId === accountId;
    const isDrawn = hasRecord && drawn.has(identity);
    return { ...difference, onLine: placed.get(identity) ?? null, isDrawn };
  });
}

/**
 * The identities of a draw's events. A draw of a version that named ids alone means the event in question
 * that has the id.
 */
function namesIn(
  draw: WrittenDraw,
  accountId: string,
  inQuestion: readonly EventIdentity[],
): string[] {
  return draw.events.map(({ eventId, source }) => {
    const meant = source ?? inQuestion.find((event) => event.eventId === eventId)?.source;
    return identityOf({ accountId, source: meant ?? ANY_SOURCE, eventId });
  });
}

/** The source of an event that is not in question, where the draw does not name it. */
const ANY_SOURCE = "";

async function knownAround(
  transaction: Transaction,
  accountId: string,
  draw: WrittenDraw,
  names: readonly string[],
): Promise<{ records: Map<string, Stretch>; entries: Stretch[] }> {
  const owners = draw.events.map(({ eventId }) => ({ accountId, eventId }));
  const named = new Set(names);
  const records = new Map<string, Stretch>();
  for (const record of await findRecordedUsage(transaction, owners)) {
    const stretch = { start: record.start, end: record.start + record.credits - record.givenBack };
    const anyName = identityOf({ ...record, source: ANY_SOURCE });
    if (named.has(identityOf(record))) records.set(identityOf(record), stretch);
    else if (draw.events.some(({ source }) => source === null)) records.set(anyName, stretch);
  }
  return { records, entries: await drawnByEntries(transaction, accountId, draw) };
}

/** The usage that the account should have by the topic. */
function expectedUsage(
  difference: RecordDifference,
  accountId: string,
): (ExpectedCost & { readonly event: EventIdentity }) | null {
  switch (difference.kind) {
    case "missing_record":
    case "other_content":
    case "other_account": {
      const { event } = difference;
      return event.accountId === accountId ? difference : null;
    }
    case "other_price": {
      const { record } = difference;
      return difference.credits === null ? null : { ...difference, event: record };
    }
    case "extra_record":
      return null;
  }
}

function eventOf(difference: RecordDifference): EventIdentity {
  return "event" in difference ? difference.event : difference.record;
}
