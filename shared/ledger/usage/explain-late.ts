import type { AccountId } from "../../core/line/account.ts";
import { type MicroCredits, overlapOf, type Stretch } from "../../core/line/credit-line.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import { GIVES_BACK, type PaidByExpired, paidByExpired } from "../books/expired-lots.ts";
import { findLot, lotsAcross } from "../books/granted-lots.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { eventsWithId, type MeteredEvent, type UsageRecord } from "./explain.ts";
import { type AttributedLot, withGrantedBy } from "./granted-by.ts";
import { pastAcross } from "./past-usage.ts";

/** What paid for an event. */
export interface PaidBy {
  /** The lots that its stretch overlaps. */
  readonly across: readonly AttributedLot[];
  /** The lots that had expired and gave credits back; each with what it paid. */
  readonly expired: readonly AttributedLot[];
}

/** The lots that paid for an event, oldest first. */
export async function lotsThatPaid(
  transaction: Transaction,
  accountId: AccountId,
  event: MeteredEvent,
): Promise<PaidBy> {
  const overlapped = await lotsAcross(transaction, accountId, event.drawn);
  const across = await withGrantedBy(transaction, accountId, overlapped);
  if (event.givenBack === 0n) return { across, expired: [] };
  const expired: GrantedLot[] = [];
  for (const { lotId, credits } of await paidByExpired(transaction, accountId, event)) {
    const lot = await findLot(transaction, accountId, lotId);
    if (lot !== null) expired.push({ ...lot, credits });
  }
  return { across, expired: await withGrantedBy(transaction, accountId, expired) };
}

/** A record with what a lot paid of it. */
export interface PaidUsage extends UsageRecord {
  readonly paid: MicroCredits;
}

/** A record that drew on a lot, with what the lot paid of it. */
export function paidOnLine(lot: GrantedLot, record: UsageRecord): PaidUsage {
  return { ...record, paid: overlapOf(lot, record.drawn) };
}

const GAVE_BACK = `
  SELECT reference, credits
  FROM entry
  WHERE account_id = $1 AND ${GIVES_BACK} AND lot_id = $2
  ORDER BY sequence`;

/** The late usage to which a lot gave expired credits back. */
export interface LateUsage {
  /** In the order in which it was metered. */
  readonly usage: readonly PaidUsage[];
  /** What the lot paid of late usage that is past retention. */
  readonly past: MicroCredits;
}

/** Finds the late usage to which a lot gave expired credits back. */
export async function lateUsageOf(
  transaction: Transaction,
  accountId: AccountId,
  lotId: string,
): Promise<LateUsage> {
  type Row = { readonly reference: string; readonly credits: MicroCredits };
  const usage: PaidUsage[] = [];
  let past = 0n;
  for (const row of await queryRows<Row>(transaction, GAVE_BACK, [accountId, lotId])) {
    const { reference, credits } = row;
    const named: MeteredEvent[] = [];
    for (const eventId of idsIn(reference)) {
      const found = await eventsWithId(transaction, accountId, eventId);
      named.push(...found.filter((event) => REFERENCE.lateUsage.write(event) === reference));
    }
    if (named.length === 0) past += credits;
    for (const event of named) {
      const lots = await paidByExpired(transaction, accountId, event);
      usage.push(...paidLines(event, lots, lotId));
    }
  }
  return { usage, past };
}

/** The lines of an event for which an expired lot paid: the lots pay one after the other, as the lines are drawn. */
function paidLines(
  { lines }: MeteredEvent,
  lots: readonly PaidByExpired[],
  lotId: string,
): PaidUsage[] {
  const paying = stretchesOf(lots, ({ credits }) => credits);
  const paidFor = stretchesOf(lines, ({ givenBack }) => givenBack);
  return paidFor.flatMap(({ of: line, ...back }) => {
    const paid = paying
      .filter(({ of }) => of.lotId === lotId)
      .reduce((sum, stretch) => sum + overlapOf(stretch, back), 0n);
    return paid === 0n ? [] : [{ ...line, paid }];
  });
}

/** Amounts put end to end, each as a stretch. */
function stretchesOf<T>(
  items: readonly T[],
  amountOf: (item: T) => MicroCredits,
): (Stretch & { readonly of: T })[] {
  let end = 0n;
  return items.map((of) => {
    const start = end;
    end += amountOf(of);
    return { start, end, of };
  });
}

/** What a lot paid of usage that is past retention; `late` is its late usage. */
export async function pastOfLot(
  transaction: Transaction,
  accountId: AccountId,
  lot: GrantedLot,
  late: LateUsage,
): Promise<MicroCredits> {
  return (await pastAcross(transaction, accountId, lot)) + late.past;
}

/** The event ids that a reference may have: an id may hold what separates it from its source. */
function idsIn(reference: string): string[] {
  const [first = "", ...others] = reference.replace(/^late:/, "").split(" of ");
  const ids = [first];
  for (const part of others) ids.push(`${ids.at(-1)} of ${part}`);
  return ids;
}
