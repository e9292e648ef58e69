import type { AccountId, Entry, Instant } from "../../core/line/account.ts";
import { hasEnded } from "../../core/line/available.ts";
import { type MicroCredits, remainingOf, type Stretch } from "../../core/line/credit-line.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { GIVES_BACK } from "./expired-lots.ts";

const COLUMNS = `
  lot_id AS "lotId", start_position AS start, end_position AS "end", credits, source, reference,
  granted_at AS "grantedAt", expires_at AS "expiresAt"`;

const LIST = `
  SELECT ${COLUMNS}
  FROM lot
  WHERE account_id = $1
  ORDER BY start_position, end_position, granted_at, lot_id`;

/** All lots of an account, oldest first, including used, expired and withdrawn ones. */
export async function listLots(
  transaction: Transaction,
  accountId: AccountId,
): Promise<GrantedLot[]> {
  return queryRows<GrantedLot>(transaction, LIST, [accountId]);
}

const FIND = `
  SELECT ${COLUMNS}
  FROM lot
  WHERE account_id = $1 AND lot_id = $2`;

/** One lot, or null when the account has none of this id. */
export async function findLot(
  transaction: Transaction,
  accountId: AccountId,
  lotId: string,
): Promise<GrantedLot | null> {
  return queryRow<GrantedLot>(transaction, FIND, [accountId, lotId]);
}

const ACROSS = `
  SELECT ${COLUMNS}
  FROM lot
  WHERE account_id = $1
    AND end_position > $2
    AND start_position < $3
    AND start_position < end_position
  ORDER BY start_position`;

/** The lots that a stretch of the line overlaps, oldest first. */
export async function lotsAcross(
  transaction: Transaction,
  accountId: AccountId,
  { start, end }: Stretch,
): Promise<GrantedLot[]> {
  return queryRows<GrantedLot>(transaction, ACROSS, [accountId, start, end]);
}

const INTO = {
  table: "lot",
  columns:
    "account_id, lot_id, start_position, end_position, credits, source, reference, granted_at, expires_at",
};

/** Stores new lots. */
export async function insertLots(
  transaction: Transaction,
  lots: readonly { accountId: AccountId; lot: GrantedLot }[],
): Promise<void> {
  await insertRows(transaction, INTO, lots, (rows, { accountId, lot }) => {
    rows.text(accountId);
    rows.text(lot.lotId);
    rows.int8(lot.start);
    rows.int8(lot.end);
    rows.int8(lot.credits);
    rows.text(lot.source);
    rows.text(lot.reference);
    rows.timestamptz(lot.grantedAt);
    if (lot.expiresAt === null) rows.null();
    else rows.timestamptz(lot.expiresAt);
  });
}

const LOSSES = `
  SELECT lot_id AS "lotId",
         coalesce(-sum(credits) FILTER (WHERE kind <> 'adjustment'), 0)::bigint AS expired,
         coalesce(-sum(credits) FILTER (WHERE kind = 'adjustment'), 0)::bigint AS withdrawn
  FROM entry
  WHERE account_id = $1 AND lot_id IS NOT NULL
    AND (kind IN ('expiry', 'adjustment') OR (${GIVES_BACK}))
  GROUP BY lot_id`;

/** The unused credits that a lot lost by expiry, without those given back, and by withdrawal. */
export interface LotLoss {
  readonly expired: MicroCredits;
  readonly withdrawn: MicroCredits;
}

/** The losses of an account's lots, by lot id. */
export async function readLosses(
  transaction: Transaction,
  accountId: AccountId,
): Promise<Map<string, LotLoss>> {
  const rows = await queryRows<LotLoss & { lotId: string }>(transaction, LOSSES, [accountId]);
  return new Map(rows.map(({ lotId, ...loss }) => [lotId, loss]));
}

/** Adds the expiries among entries that are not written yet. */
export function withExpiries(
  losses: ReadonlyMap<string, LotLoss>,
  posted: readonly Entry[],
): Map<string, LotLoss> {
  const all = new Map(losses);
  for (const { kind, lotId, credits } of posted) {
    if (kind !== "expiry" || lotId === null) continue;
    const { expired, withdrawn } = all.get(lotId) ?? NO_LOSS;
    all.set(lotId, { expired: expired - credits, withdrawn });
  }
  return all;
}

const NO_LOSS: LotLoss = { expired: 0n, withdrawn: 0n };

/** A lot's credits by what became of them. */
export interface LotUse extends LotLoss {
  /** Used for usage, add-ons, deductions and reversals. */
  readonly used: MicroCredits;
  readonly remaining: MicroCredits;
}

/**
 * Splits a lot's credits as of `at`, given the position and the `readLosses` of the same snapshot. What
 * a lot has left that has ended counts as expired, posted or not.
 */
export function useOf(
  lot: GrantedLot,
  { position, at }: { readonly position: MicroCredits; readonly at: Instant },
  losses: ReadonlyMap<string, LotLoss>,
): LotUse {
  const { expired, withdrawn } = losses.get(lot.lotId) ?? NO_LOSS;
  const left = remainingOf(lot, position);
  const used = lot.credits - expired - withdrawn - left;
  return hasEnded(lot, at)
    ? { used, expired: expired + left, withdrawn, remaining: 0n }
    : { used, expired, withdrawn, remaining: left };
}
