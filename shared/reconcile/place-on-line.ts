import type { RecordDifference } from "../core/history/verify-usage.ts";
import type { MicroCredits, Stretch } from "../core/line/credit-line.ts";
import { placeInDraw } from "../core/line/place-in-draw.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import { findRecordedUsage } from "../ledger/proof/recorded-usage.ts";
import { drawnByEntries, findDraws } from "../ledger/usage/find-draws.ts";
import type { OnLine, PlacedDifference } from "./difference.ts";

/** Looks up where the events of one account's differences drew on its line. */
export async function placeOnLine(
  transaction: Transaction,
  accountId: string,
  differences: readonly RecordDifference[],
): Promise<PlacedDifference[]> {
  const costs = new Map<string, MicroCredits>();
  for (const difference of differences) {
    const expected = expectedUsage(difference, accountId);
    if (expected !== null) costs.set(expected.eventId, expected.credits);
  }
  const named = differences.map(eventIdOf);
  const draws = await findDraws(transaction, accountId, named);
  const placed = new Map<string, OnLine>();
  const drawn = new Set(draws.flatMap((draw) => draw.eventIds));
  for (const draw of draws) {
    const identities = draw.eventIds.map((eventId) => ({ accountId, eventId }));
    const recorded = await findRecordedUsage(transaction, identities);
    const records = new Map<string, Stretch>();
    for (const { eventId, start, credits } of recorded.values()) {
      records.set(eventId, { start, end: start + credits });
    }
    const entries = await drawnByEntries(transaction, accountId, draw);
    const places = placeInDraw(draw, { records, entries }, costs);
    for (const [eventId, start] of places) placed.set(eventId, { start, drawnAt: draw.drawnAt });
  }
  return differences.map((difference) => {
    const eventId = eventIdOf(difference);
    const hasRecord = "record" in difference && difference.record.accountId === accountId;
    const isDrawn = hasRecord && drawn.has(eventId);
    return { ...difference, onLine: placed.get(eventId) ?? null, isDrawn };
  });
}

/** The usage that the account should have by the topic. */
function expectedUsage(
  difference: RecordDifference,
  accountId: string,
): { eventId: string; credits: MicroCredits } | null {
  switch (difference.kind) {
    case "missing_record":
    case "other_content":
    case "other_account": {
      const { event, credits } = difference;
      return event.accountId === accountId ? { eventId: event.eventId, credits } : null;
    }
    case "other_price": {
      const { record, credits } = difference;
      return credits === null ? null : { eventId: record.eventId, credits };
    }
    case "extra_record":
      return null;
  }
}

function eventIdOf(difference: RecordDifference): string {
  return "event" in difference ? difference.event.eventId : difference.record.eventId;
}
