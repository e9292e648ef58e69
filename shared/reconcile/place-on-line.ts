import type { RecordDifference } from "../core/history/verify-usage.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import { placeInDraw } from "../core/line/place-in-draw.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import { findRecordedUsage } from "../ledger/proof/recorded-usage.ts";
import { drawnByEntries, findDraws } from "../ledger/usage/find-draws.ts";
import type { OnLine, PlacedDifference } from "./difference.ts";

/** Looks up where the events of differences of one account stand on its line. */
export async function placeOnLine(
  transaction: Transaction,
  accountId: string,
  differences: readonly RecordDifference[],
): Promise<PlacedDifference[]> {
  const costs = new Map<string, MicroCredits>();
  for (const difference of differences) {
    const told = toldUsage(difference, accountId);
    if (told !== null) costs.set(told.eventId, told.credits);
  }
  const named = differences.map(eventIdOf);
  const draws = await findDraws(transaction, accountId, named);
  const placed = new Map<string, OnLine>();
  const drawn = new Set(draws.flatMap((draw) => draw.eventIds));
  for (const draw of draws) {
    const records = await findRecordedUsage(
      transaction,
      draw.eventIds.map((eventId) => ({ accountId, eventId })),
    );
    const places = placeInDraw(
      draw,
      {
        records: new Map(
          [...records.values()].map(({ eventId, start, credits }) => [
            eventId,
            { start, end: start + credits },
          ]),
        ),
        entries: await drawnByEntries(transaction, accountId, draw),
      },
      costs,
    );
    for (const [eventId, start] of places) placed.set(eventId, { start, drawnAt: draw.drawnAt });
  }
  return differences.map((difference) => {
    const eventId = eventIdOf(difference);
    return {
      ...difference,
      onLine: placed.get(eventId) ?? null,
      isDrawn: drawn.has(eventId) && hasRecordOf(difference, accountId),
    };
  });
}

/** What of an account's usage a difference says should be there. */
function toldUsage(
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

function hasRecordOf(difference: RecordDifference, accountId: string): boolean {
  return "record" in difference && difference.record.accountId === accountId;
}
