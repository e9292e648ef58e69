import type { AccountId } from "../../../shared/core/line/account.ts";
import { type MicroCredits, overlapOf } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { lotsAcross } from "../../../shared/ledger/books/granted-lots.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { findUsageRecord, type UsageRecord } from "../../../shared/ledger/usage/explain.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { fields, instantJson, table } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";

interface Explained {
  readonly accountId: AccountId;
  readonly record: UsageRecord;
  readonly paid: readonly { readonly lot: GrantedLot; readonly credits: MicroCredits }[];
  /** What lies beyond the last lot. */
  readonly debt: MicroCredits;
}

/** Which lots paid for an event, and what of it is debt still. */
export async function explainEvent(
  settings: Settings,
  accountId: AccountId,
  eventId: string,
): Promise<Result> {
  const explained = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction): Promise<Explained | null> => {
      const record = await findUsageRecord(transaction, accountId, eventId);
      if (record === null) return null;
      const lots = await lotsAcross(transaction, accountId, record.drawn);
      const paid = lots
        .map((lot) => ({ lot, credits: overlapOf(lot, record.drawn) }))
        .filter(({ credits }) => credits > 0n);
      const debt = paid.reduce((left, { credits }) => left - credits, record.credits);
      return { accountId, record, paid, debt };
    }),
  );
  return explained === null
    ? refused({ kind: "unknown_event", eventId })
    : shown(explainedJson(explained), explainedText(explained));
}

function explainedJson({ accountId, record, paid, debt }: Explained) {
  return {
    account_id: accountId,
    event_id: record.eventId,
    meter: record.meter,
    quantity: record.quantity,
    credits: record.credits,
    occurred_at: instantJson(record.occurredAt),
    metered_at: instantJson(record.meteredAt),
    source: record.source,
    dimensions: record.dimensions,
    partition: record.partition,
    offset: record.offset,
    start_position: record.drawn.start,
    end_position: record.drawn.end,
    paid_by: paid.map(({ lot, credits }) => ({ lot_id: lot.lotId, source: lot.source, credits })),
    debt,
  };
}

function explainedText(explained: Explained): string {
  const { record, accountId } = explained;
  const dimensions = Object.entries(record.dimensions).map(([name, value]) => `${name}=${value}`);
  return [
    fields([
      ["event", record.eventId],
      ["account", accountId],
      ["used", `${record.quantity} of ${record.meter}`],
      ["cost", `${formatCredits(record.credits)} credits`],
      ["occurred", formatInstant(record.occurredAt)],
      ["metered", formatInstant(record.meteredAt)],
      ["source", record.source === "" ? "not said" : record.source],
      ...(dimensions.length === 0 ? [] : [["dimensions", dimensions.join(", ")] as const]),
      ["read at", `partition ${record.partition}, offset ${record.offset}`],
    ]),
    "",
    whoPaid(explained),
  ].join("\n");
}

function whoPaid({ record, paid, debt }: Explained): string {
  if (record.credits === 0n) return "It cost nothing, so no lot paid.";
  const rows = paid.map(({ lot, credits }) => [lot.lotId, lot.source, formatCredits(credits)]);
  const owed = `${formatCredits(debt)} credits of it are debt that no lot has repaid yet.`;
  if (rows.length === 0) return owed;
  const lots = table(
    [{ title: "PAID BY LOT" }, { title: "SOURCE" }, { title: "CREDITS", align: "right" }],
    rows,
  );
  return debt === 0n ? lots : `${lots}\n${owed}`;
}
