import type { AccountId } from "../../../shared/core/line/account.ts";
import { type MicroCredits, overlapOf } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { LotUse } from "../../../shared/ledger/books/granted-lots.ts";
import type { MeterTotal, UsageRecord } from "../../../shared/ledger/usage/explain.ts";
import type {
  Charged,
  ChargeRecord,
  ChargeTotal,
} from "../../../shared/ledger/usage/explain-charges.ts";
import { fields, instantJson, table } from "../shell/print.ts";
import { lotJson, stretchText } from "./lot-text.ts";

/** A page of what drew on a lot. */
export interface Drawn {
  readonly usage: readonly UsageRecord[];
  readonly charges: readonly ChargeRecord[];
  /** Where the next page goes on, or null when this is the last. */
  readonly nextAfter: MicroCredits | null;
}

/** What a lot paid for: all that it did, and a page of it one by one. */
export interface Explained extends Drawn {
  readonly accountId: AccountId;
  readonly lot: GrantedLot;
  readonly use: LotUse;
  readonly meters: readonly MeterTotal[];
  readonly charged: readonly ChargeTotal[];
}

export function explainedJson(explained: Explained) {
  const { accountId, lot, use, meters, charged, usage, charges, nextAfter } = explained;
  return {
    account_id: accountId,
    ...lotJson(lot),
    ...use,
    by_meter: meters.map(({ meter, events, credits }) => ({ meter, events, credits })),
    by_add_on: charged.flatMap(({ charged: what, charges: count, credits }) =>
      what.kind === "add_on_charge" ? [{ add_on: what.addOnId, charges: count, credits }] : [],
    ),
    by_reversal: charged.flatMap(({ charged: what, charges: count, credits }) =>
      what.kind === "reversal" ? [{ ...reversalJson(what), charges: count, credits }] : [],
    ),
    by_adjustment: charged.flatMap(({ charged: what, credits }) =>
      what.kind === "adjustment" ? [{ reference: what.reference, credits }] : [],
    ),
    usage: usage.map((record) => ({
      event_id: record.eventId,
      meter: record.meter,
      quantity: record.quantity,
      occurred_at: instantJson(record.occurredAt),
      start_position: record.drawn.start,
      credits: record.credits,
      paid: overlapOf(lot, record.drawn),
    })),
    charges: charges.map((charge) => ({
      entry: charge.sequence,
      kind: charge.charged.kind,
      ...(charge.charged.kind === "reversal" ? reversalJson(charge.charged) : {}),
      ...(charge.charged.kind === "add_on_charge" ? { add_on: charge.charged.addOnId } : {}),
      reference: charge.reference,
      due_at: instantJson(charge.dueAt),
      start_position: charge.drawn.start,
      credits: charge.credits,
      paid: overlapOf(lot, charge.drawn),
    })),
    next_after: nextAfter,
  };
}

type Reversal = Extract<Charged, { kind: "reversal" }>;

function reversalJson({ by, lotId }: Reversal) {
  return { by, reversed_lot: lotId };
}

export function explainedText(explained: Explained): string {
  const { accountId, lot, use, meters, charged, usage, charges, nextAfter } = explained;
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
    ["ends", formatInstant(lot.expiresAt)],
    ["on the line", stretchText(lot)],
  ]);
  if (meters.length + charged.length === 0) return `${head}\n\nIt has paid for nothing.`;
  const totals = [
    ...meters.map((total) => [total.meter, paidText(total, total.events, "event")] as const),
    ...charged.map(
      (total) => [chargedText(total.charged), paidText(total, total.charges, "charge")] as const,
    ),
  ];
  const parts = [head, `It paid for\n${fields(totals)}`];
  if (usage.length > 0) parts.push(usageTable(lot, usage));
  if (charges.length > 0) parts.push(chargeTable(lot, charges));
  const more = nextAfter === null ? "" : `\nThere are more: --after ${nextAfter}`;
  return `${parts.join("\n\n")}${more}`;
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

function chargeTable(lot: GrantedLot, charges: readonly ChargeRecord[]): string {
  return table(
    [
      { title: "ENTRY", align: "right" },
      { title: "FOR" },
      { title: "REFERENCE" },
      { title: "DUE" },
      { title: "COST", align: "right" },
      { title: "PAID", align: "right" },
    ],
    charges.map((charge) => [
      charge.sequence,
      chargedText(charge.charged),
      charge.reference,
      formatInstant(charge.dueAt),
      formatCredits(charge.credits),
      formatCredits(overlapOf(lot, charge.drawn)),
    ]),
  );
}
