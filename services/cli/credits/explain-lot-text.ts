import { z } from "zod";
import { postedBy } from "../../../shared/contract/entry.ts";
import { grantedBy, lotFields } from "../../../shared/contract/lot.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { toUsageRecord, usageRecordFields } from "../../../shared/contract/usage-record.ts";
import { count, credits, instant } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { type MicroCredits, overlapOf } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { LotUse } from "../../../shared/ledger/books/granted-lots.ts";
import type { MeterTotal } from "../../../shared/ledger/usage/explain.ts";
import type {
  Charged,
  ChargeRecord,
  ChargeTotal,
} from "../../../shared/ledger/usage/explain-charges.ts";
import type { PaidUsage } from "../../../shared/ledger/usage/explain-late.ts";
import type { AttributedLot } from "../../../shared/ledger/usage/granted-by.ts";
import { moreLines } from "../shell/paging.ts";
import { fields, table } from "../shell/print.ts";
import { stretchText } from "./lot-text.ts";

/** A page of the usage and charges that drew on a lot. */
export interface Drawn {
  readonly usage: readonly PaidUsage[];
  readonly charges: readonly ChargeRecord[];
  readonly nextCursor: string | null;
}

/** What a lot paid for: totals, and a page of the single draws. */
export interface Explained extends Drawn {
  readonly accountId: AccountId;
  readonly lot: AttributedLot;
  readonly use: LotUse;
  readonly meters: readonly MeterTotal[];
  /** What it paid of usage that is past retention. */
  readonly past: MicroCredits;
  readonly charged: readonly ChargeTotal[];
}

const counted = z.number().int();

export const explainedLot = noun({
  ...lotFields,
  granted_by: grantedBy,
  by_meter: z.array(noun({ meter: z.string(), events: counted, credits })),
  past_retention: credits,
  by_add_on: z.array(noun({ add_on_id: z.string(), charges: counted, credits })),
  by_reversal: z.array(
    noun({ by: z.string(), reversed_lot_id: z.string(), charges: counted, credits }),
  ),
  by_adjustment: z.array(noun({ reference: z.string(), credits })),
  usage: z.array(noun({ ...usageRecordFields, paid: credits })),
  charges: z.array(
    noun({
      sequence: count,
      kind: z.string(),
      add_on_id: z.string().optional(),
      by: z.string().optional(),
      reversed_lot_id: z.string().optional(),
      reference: z.string(),
      posted_by: postedBy,
      due_at: instant,
      start: credits,
      end: credits,
      credits,
      paid: credits,
    }),
  ),
  next_cursor: z.string().nullable(),
});

export function toExplainedLot(explained: Explained) {
  const { lot, use, meters, past, charged, usage, charges, ...page } = explained;
  const totals = charged.map(({ charged: what, ...total }) => ({ ...ofCharge(what), ...total }));
  const of = <Kind extends Charged["kind"]>(kind: Kind) =>
    totals.filter((total): total is Extract<typeof total, { kind: Kind }> => total.kind === kind);
  return {
    ...{ ...lot, ...use, ...page },
    byMeter: meters,
    pastRetention: past,
    byAddOn: of("add_on_charge"),
    byReversal: of("reversal"),
    byAdjustment: of("adjustment"),
    usage: usage.map(toUsageRecord),
    charges: charges.map((charge) => ({
      ...ofCharge(charge.charged),
      ...{ ...charge, ...charge.drawn },
      paid: overlapOf(lot, charge.drawn),
    })),
  };
}

function ofCharge(charged: Charged) {
  return charged.kind === "reversal" ? { ...charged, reversedLotId: charged.lotId } : charged;
}

export function explainedText(explained: Explained): string {
  const { accountId, lot, use, meters, past, charged, usage, charges, nextCursor } = explained;
  const head = fields([
    ["lot", lot.lotId],
    ["account", accountId],
    ["source", lot.reference === "" ? lot.source : `${lot.source}, ${lot.reference}`],
    ["credits", formatCredits(lot.credits)],
    ["used", formatCredits(use.used)],
    ["expired", formatCredits(use.expired)],
    ["withdrawn", formatCredits(use.withdrawn)],
    ["left", formatCredits(use.remaining)],
    ["granted", formatInstant(lot.grantedAt)],
    ...(lot.grantedBy === null ? [] : [["granted by", lot.grantedBy] as const]),
    ["ends", formatInstant(lot.expiresAt)],
    ["on the line", stretchText(lot)],
  ]);
  if (meters.length + charged.length === 0 && past === 0n) {
    return `${head}\n\nIt has paid for nothing yet.`;
  }
  const totals = [
    ...meters.map((total) => [total.meter, paidText(total, total.events, "event")] as const),
    ...charged.map(
      (total) => [chargedText(total.charged), paidText(total, total.charges, "charge")] as const,
    ),
    ...(past === 0n
      ? []
      : [
          [
            "usage past retention",
            `${formatCredits(past)} credits; its events are dropped`,
          ] as const,
        ]),
  ];
  const parts = [head, `It paid for\n${fields(totals)}`];
  if (usage.length > 0) parts.push(usageTable(usage));
  if (charges.length > 0) parts.push(chargeTable(lot, charges));
  return [parts.join("\n\n"), ...moreLines(nextCursor)].join("\n");
}

function paidText({ credits }: { credits: MicroCredits }, count: number, one: string): string {
  return `${formatCredits(credits)} credits for ${countOf(count, one)}`;
}

/** "add-on voice_cloning", "refund of top-up:low-balance:1" */
function chargedText(charged: Charged): string {
  switch (charged.kind) {
    case "reversal":
      return `${charged.by} of ${charged.lotId}`;
    case "adjustment":
      return `adjustment: ${charged.reference}`;
    case "add_on_charge":
      return `add-on ${charged.addOnId}`;
  }
}

function usageTable(usage: readonly PaidUsage[]): string {
  return table(usage, [
    ["EVENT", ({ eventId }) => eventId],
    ["METER", ({ meter }) => meter],
    ["QUANTITY", ({ quantity }) => quantity, "right"],
    ["OCCURRED", ({ occurredAt }) => formatInstant(occurredAt)],
    ["COST", ({ credits }) => formatCredits(credits), "right"],
    ["PAID", ({ paid }) => formatCredits(paid), "right"],
  ]);
}

function chargeTable(lot: GrantedLot, charges: readonly ChargeRecord[]): string {
  return table(charges, [
    ["ENTRY", ({ sequence }) => sequence, "right"],
    ["FOR", ({ charged }) => chargedText(charged)],
    ["REFERENCE", ({ reference }) => reference],
    ["BY", ({ postedBy }) => postedBy ?? ""],
    ["DUE", ({ dueAt }) => formatInstant(dueAt)],
    ["COST", ({ credits }) => formatCredits(credits), "right"],
    ["PAID", ({ drawn }) => formatCredits(overlapOf(lot, drawn)), "right"],
  ]);
}
