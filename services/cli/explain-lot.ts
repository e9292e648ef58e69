import type { AccountId } from "../../shared/core/account.ts";
import { type MicroCredits, overlapOf } from "../../shared/core/credit-line.ts";
import { formatCredits } from "../../shared/core/credits-text.ts";
import type { GrantedLot } from "../../shared/core/grant-credits.ts";
import { readAccountDetails } from "../../shared/ledger/account-details.ts";
import {
  type MeterTotal,
  totalsAcross,
  type UsageRecord,
  usageAcross,
} from "../../shared/ledger/explain-usage.ts";
import { findLot, type LotUse, readLosses, useOf } from "../../shared/ledger/granted-lots.ts";
import { readSnapshot } from "../../shared/ledger/read-snapshot.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { lotJson, stretchText } from "./lot-text.ts";
import { countOf, fields, formatInstant, instantJson, table } from "./print.ts";
import { type Result, refused, shown } from "./result.ts";
import { withDatabase } from "./with-database.ts";

/** Which of the usage records to list. */
export interface Page {
  readonly limit: number;
  /** Only records whose stretch starts after this position. */
  readonly after: MicroCredits;
}

/** The `after` of the first page: positions start at 0. */
export const FIRST_PAGE = -1n;

interface Explained {
  readonly accountId: AccountId;
  readonly lot: GrantedLot;
  readonly use: LotUse;
  readonly totals: readonly MeterTotal[];
  readonly usage: readonly UsageRecord[];
  /** Where the next page goes on, or null when this is the last. */
  readonly nextAfter: MicroCredits | null;
}

/** What a lot paid for: by meter, and record by record. */
export async function explainLot(
  settings: Settings,
  accountId: AccountId,
  lotId: string,
  page: Page,
): Promise<Result> {
  return withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return refused(`there is no account ${accountId}`);
      const lot = await findLot(transaction, accountId, lotId);
      if (lot === null) return refused(`account ${accountId} has no lot ${lotId}`);
      const losses = await readLosses(transaction, accountId);
      const totals = await totalsAcross(transaction, accountId, lot);
      const oneMore = { ...page, limit: page.limit + 1 };
      const read = await usageAcross(transaction, accountId, lot, oneMore);
      const usage = read.slice(0, page.limit);
      const explained = {
        accountId,
        lot,
        use: useOf(lot, details.account.position, losses),
        totals,
        usage,
        nextAfter: read.length > page.limit ? (usage.at(-1)?.drawn.start ?? null) : null,
      };
      return shown(explainedJson(explained), explainedText(explained));
    }),
  );
}

function explainedJson({ accountId, lot, use, totals, usage, nextAfter }: Explained) {
  return {
    account_id: accountId,
    ...lotJson(lot),
    ...use,
    by_meter: totals.map(({ meter, events, credits }) => ({ meter, events, credits })),
    usage: usage.map((record) => ({
      event_id: record.eventId,
      meter: record.meter,
      quantity: record.quantity,
      occurred_at: instantJson(record.occurredAt),
      start_position: record.drawn.start,
      credits: record.credits,
      paid: overlapOf(lot, record.drawn),
    })),
    next_after: nextAfter,
  };
}

function explainedText({ accountId, lot, use, totals, usage, nextAfter }: Explained): string {
  const head = fields([
    ["lot", lot.lotId],
    ["account", accountId],
    ["source", lot.reference === "" ? lot.source : `${lot.source}, ${lot.reference}`],
    ["credits", formatCredits(lot.credits)],
    ["used", formatCredits(use.used)],
    ["expired", formatCredits(use.expired)],
    ["left", formatCredits(use.remaining)],
    ["granted", formatInstant(lot.grantedAt)],
    ["ends", formatInstant(lot.expiresAt)],
    ["on the line", stretchText(lot)],
  ]);
  if (totals.length === 0) return `${head}\n\nIt has paid for no usage.`;
  const byMeter = totals.map(
    ({ meter, events, credits }) =>
      [meter, `${formatCredits(credits)} credits for ${countOf(events, "event")}`] as const,
  );
  const more = nextAfter === null ? "" : `\nThere are more: --after ${nextAfter}`;
  return `${head}\n\nIt paid for\n${fields(byMeter)}\n\n${usageTable(lot, usage)}${more}`;
}

function usageTable(lot: GrantedLot, usage: readonly UsageRecord[]): string {
  return table(
    [
      { title: "EVENT" },
      { title: "METER" },
      { title: "QUANTITY", align: "right" },
      { title: "OCCURRED" },
      { title: "COST", align: "right" },
      { title: "PAID", align: "right" },
    ],
    usage.map((record) => [
      record.eventId,
      record.meter,
      record.quantity,
      formatInstant(record.occurredAt),
      formatCredits(record.credits),
      formatCredits(overlapOf(lot, record.drawn)),
    ]),
  );
}
