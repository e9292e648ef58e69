import type { AccountId } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { endOfLot } from "../../core/month/expiry.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import { UNTOUCHED_AUTO_TOP_UP } from "../../core/payments/auto-top-up.ts";
import { topUpSucceeded } from "../../core/payments/settle-top-up.ts";
import { lockAccount } from "../books/account-details.ts";
import { findLot, insertLots, listLots } from "../books/granted-lots.ts";
import { moveAccount } from "../books/move-account.ts";
import { lockPayment } from "../payments/payments.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import { overwritten } from "../postgres/overwritten.ts";
import { type Repair, recordRepair, repairOnce } from "./repairs.ts";
import type { MissingLot, UngrantedTopUp } from "./verify-books.ts";
import type { PublishedEntry } from "./verify-published.ts";

const AROUND = `
  SELECT coalesce(before.granted, 0) AS before, coalesce(after.version, account.version) AS version
  FROM account
  LEFT JOIN entry AS before
    ON before.account_id = account.account_id AND before.sequence = $2 - 1
  LEFT JOIN entry AS after
    ON after.account_id = account.account_id AND after.sequence = $2 + 1
  WHERE account.account_id = $1 AND account.entries >= $2
    AND ($2 = 1 OR before.sequence IS NOT NULL)`;

const PUT = `
  INSERT INTO entry (account_id, sequence, kind, credits, granted, position, version, lot_id,
                     reference, due_at, posted_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10 / 1000.0), to_timestamp($11 / 1000.0))
  ON CONFLICT (account_id, sequence) DO UPDATE
  SET ${overwritten("kind, credits, granted, position, lot_id, reference, due_at")}`;

/**
 * Restores an entry from its published record; its line follows from the entry before it and the
 * published balance. False: the entry before it is missing too, or the account never had it.
 */
export async function restoreEntry(
  database: Database,
  published: PublishedEntry,
  repair: Repair,
): Promise<boolean> {
  return repairOnce(database, repair, async (transaction) => {
    const { accountId, sequence } = published;
    await lockAccount(transaction, accountId);
    type Row = { before: bigint; version: bigint };
    const around = await queryRow<Row>(transaction, AROUND, [accountId, sequence]);
    if (around === null) return false;
    const { before, version } = around;
    const granted = before + (await addedBy(transaction, published));
    await transaction.query(PUT, [
      ...[
        accountId,
        sequence,
        published.kind,
        published.credits,
        granted,
        granted - published.balance,
        version,
      ],
      ...[published.lotId, published.reference, published.dueAt, published.postedAt],
    ]);
    return true;
  });
}

/** What an entry added to the end of the line; a lot that expired ahead of position was cut out. */
async function addedBy(transaction: Transaction, published: PublishedEntry): Promise<bigint> {
  const { accountId, kind, credits, lotId } = published;
  if (kind === "grant" || (kind === "adjustment" && lotId !== null)) return credits;
  if (kind !== "expiry" || lotId === null) return 0n;
  const lot = await findLot(transaction, accountId, lotId);
  return lot !== null && lot.start === lot.end ? credits : 0n;
}

/**
 * Restores the lot of a paid top-up from its grant and its payment, in the gap that it left on the line.
 * False: there is no such payment, or no gap.
 */
export async function restoreTopUpLot(
  database: Database,
  missing: MissingLot,
  repair: Repair,
): Promise<boolean> {
  const { accountId, lotId, credits } = missing;
  const ofTopUp = REFERENCE.topUpLot.read(lotId);
  if (ofTopUp === null) return false;
  return repairOnce(database, repair, async (transaction) => {
    const details = await lockAccount(transaction, accountId);
    const payment = await lockPayment(transaction, { accountId, ...ofTopUp });
    const granted = await readGrant(transaction, missing);
    if (details === null || payment?.kind !== "top_up" || granted === null) return false;
    const { account } = details;
    const hole = await findHole(transaction, accountId, account.granted, credits);
    if (hole === null) return false;
    const expiresAt = endOfLot(payment.life, granted.grantedAt, account.timeZone);
    const lot = { lotId, ...hole, credits, source: "top_up", ...granted, expiresAt } as const;
    await insertLots(transaction, [{ accountId, lot }]);
    return true;
  });
}

/** True for lots of top-ups, which can be restored from their payment. */
export function isOfTopUp(lotId: string): boolean {
  return REFERENCE.topUpLot.read(lotId) !== null;
}

const GRANT = `
  SELECT due_at AS "grantedAt", reference
  FROM entry
  WHERE account_id = $1 AND sequence = $2`;

function readGrant(transaction: Transaction, { accountId, sequence }: MissingLot) {
  type Row = Pick<GrantedLot, "grantedAt" | "reference">;
  return queryRow<Row>(transaction, GRANT, [accountId, sequence]);
}

/** The first stretch of the line that no lot covers and that is no longer than `most`. */
async function findHole(
  transaction: Transaction,
  accountId: AccountId,
  granted: bigint,
  most: bigint,
) {
  let end = 0n;
  const lots = await listLots(transaction, accountId);
  for (const lot of [...lots, { start: granted, end: granted }]) {
    const hole = { start: end, end: lot.start };
    if (hole.end > hole.start && hole.end - hole.start <= most) return hole;
    if (lot.end > end) end = lot.end;
  }
  return null;
}

/** Grants the lot of a top-up that was paid, if it still has none. */
export async function grantPaidTopUp(
  database: Database,
  { accountId, paymentId }: UngrantedTopUp,
  repair: Repair,
): Promise<boolean> {
  const now = repair.at;
  const done = await moveAccount<boolean>(
    database,
    { accountId, now },
    async (settled, transaction) => {
      const payment = await lockPayment(transaction, { accountId, paymentId });
      const lotId = REFERENCE.topUpLot.write({ paymentId });
      const isGranted = (await findLot(transaction, accountId, lotId)) !== null;
      if (payment?.kind !== "top_up" || payment.status !== "succeeded" || isGranted) {
        return { decision: false, step: null };
      }
      await recordRepair(transaction, repair);
      const { step } = topUpSucceeded(payment, UNTOUCHED_AUTO_TOP_UP, settled.book, now);
      return { decision: true, step };
    },
  );
  return done === true;
}
