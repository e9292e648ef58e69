import type { z } from "zod";
import { formatCredits } from "../core/text/credits-text.ts";
import type { Cell } from "../core/text/csv-text.ts";
import { formatMoney } from "../core/text/money.ts";
import type { CsvTable } from "./csv-export.ts";
import type { entry } from "./entry.ts";
import type { lot } from "./lot.ts";
import type { listedPayment, payment, paymentOfAccount } from "./payment.ts";
import type { bucket } from "./usage.ts";
import type { usageRecord } from "./usage-record.ts";

/** Lists as CSV. Credits and money are exact decimals, in credits and in units of the currency. */
type UsageRecordRow = Omit<z.output<typeof usageRecord>, "start" | "end">;

export const USAGE_RECORDS_CSV: CsvTable<UsageRecordRow> = [
  ["occurred_at", (record) => instant(record.occurredAt)],
  ["event_id", (record) => record.eventId],
  ["meter", (record) => record.meter],
  ["quantity", (record) => record.quantity],
  ["credits", (record) => credits(record.credits)],
  ["source", (record) => record.source],
  ["dimensions", (record) => JSON.stringify(record.dimensions)],
  ["metered_at", (record) => instant(record.meteredAt)],
  ["hold_id", (record) => record.holdId ?? ""],
];

/** A sum of usage, or of an add-on's charges. */
export interface UsageRow extends z.output<typeof bucket> {
  readonly kind: "usage" | "add_on";
}

export const USAGE_CSV: CsvTable<UsageRow> = [
  ["from", (sum) => instant(sum.at)],
  ["kind", (sum) => sum.kind],
  ["key", (sum) => sum.key],
  ["credits", (sum) => credits(sum.credits)],
  ["events", (sum) => sum.events],
  ["quantity", (sum) => sum.quantity ?? ""],
];

export const ENTRIES_CSV: CsvTable<z.output<typeof entry>> = [
  ["sequence", (posted) => posted.sequence],
  ["posted_at", (posted) => instant(posted.postedAt)],
  ["kind", (posted) => posted.kind],
  ["used_before", (posted) => credits(posted.usedBefore)],
  ["credits", (posted) => credits(posted.credits)],
  ["balance", (posted) => credits(posted.balance)],
  ["lot_id", (posted) => posted.lotId ?? ""],
  ["reference", (posted) => posted.reference],
  ["due_at", (posted) => instant(posted.dueAt)],
  ["posted_by", (posted) => posted.postedBy ?? ""],
];

export const LOTS_CSV: CsvTable<z.output<typeof lot>> = [
  ["lot_id", (granted) => granted.lotId],
  ["source", (granted) => granted.source],
  ["reference", (granted) => granted.reference],
  ["credits", (granted) => credits(granted.credits)],
  ["used", (granted) => credits(granted.used)],
  ["expired", (granted) => credits(granted.expired)],
  ["withdrawn", (granted) => credits(granted.withdrawn)],
  ["remaining", (granted) => credits(granted.remaining)],
  ["granted_at", (granted) => instant(granted.grantedAt)],
  ["expires_at", (granted) => (granted.expiresAt === null ? "" : instant(granted.expiresAt))],
];

const PAYMENT_COLUMNS: CsvTable<z.output<typeof payment>> = [
  ["payment_id", (made) => made.paymentId],
  ["kind", (made) => made.kind],
  ["status", (made) => made.status],
  ["amount", (made) => ({ number: formatMoney(made.amount, made.currency) })],
  ["currency", (made) => made.currency],
  ["credits", (made) => (made.credits === null ? "" : credits(made.credits))],
  ["plan_id", (made) => made.planId ?? ""],
  ["reason", (made) => made.reason],
  ["created_at", (made) => instant(made.createdAt)],
  ["requested_by", (made) => made.requestedBy ?? ""],
];

const REFUNDED: CsvTable<z.output<typeof paymentOfAccount>> = [
  ["refunded", (made) => ({ number: formatMoney(made.refunded, made.currency) })],
];

export const PAYMENTS_CSV: CsvTable<z.output<typeof paymentOfAccount>> = [
  ...PAYMENT_COLUMNS,
  ...REFUNDED,
];

export const ALL_PAYMENTS_CSV: CsvTable<z.output<typeof listedPayment>> = [
  ["account_id", (made) => made.accountId],
  ...PAYMENT_COLUMNS,
  ["gateway_payment", (made) => made.gatewayPayment ?? ""],
  ...REFUNDED,
];

function credits(amount: bigint): Cell {
  return { number: formatCredits(amount) };
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
