import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** What an account was charged for, apart from usage. */
export type Charged =
  | { readonly kind: "add_on_charge"; readonly addOnId: string }
  /** Spent credits of a lot whose payment was refunded or charged back. */
  | {
      readonly kind: "reversal";
      readonly by: "refund" | "chargeback";
      readonly lotId: string;
    }
  /** Credits that a correction deducted; the reference is its reason. */
  | { readonly kind: "adjustment"; readonly reference: string };

/** A charge and the stretch of the line that it drew. */
export interface ChargeRecord {
  /** Of its entry. */
  readonly sequence: bigint;
  readonly charged: Charged;
  readonly reference: string;
  /** Who requested it; null: Drawdown itself. */
  readonly postedBy: string | null;
  readonly credits: MicroCredits;
  readonly drawn: Stretch;
  readonly dueAt: Instant;
}

/** What each was for: the add-on, the lot that was reversed, and by what, or a correction's reason. */
const CHARGED = `
  kind,
  CASE kind
    WHEN 'add_on_charge' THEN substring(reference FROM '${REFERENCE.addOnCharge.pattern}')
    WHEN 'adjustment' THEN reference
    ELSE lot_id
  END AS subject,
  CASE kind WHEN 'reversal' THEN substring(reference FROM '${REFERENCE.takenBack.pattern}') END AS by`;

type ChargedRow = { readonly subject: string } & (
  | { readonly kind: "add_on_charge" | "adjustment" }
  | { readonly kind: "reversal"; readonly by: "refund" | "chargeback" }
);

/** The charges that drew on [$2, $3): an entry drew up to its position. An empty stretch has none. */
const ACROSS = `
  FROM entry
  WHERE account_id = $1
    AND (kind IN ('add_on_charge', 'reversal') OR (kind = 'adjustment' AND lot_id IS NULL))
    AND position > $2
    AND credits < 0
    AND position + credits < $3
    AND $2::bigint < $3::bigint`;

const LIST_ACROSS = `
  SELECT ${CHARGED}, sequence, reference, posted_by AS "postedBy", -credits AS credits, position, due_at AS "dueAt"
  ${ACROSS}
    AND position + credits > $4
  ORDER BY position
  LIMIT $5`;

type Row = ChargedRow &
  Omit<ChargeRecord, "charged" | "drawn"> & { readonly position: MicroCredits };

/** Up to `limit` charges that drew on a stretch, oldest first, starting after the position `after`. */
export async function chargesAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
  page: { readonly after: MicroCredits; readonly limit: number },
): Promise<ChargeRecord[]> {
  const values = [accountId, stretch.start, stretch.end, page.after, page.limit];
  const rows = await queryRows<Row>(transaction, LIST_ACROSS, values);
  return rows.map((row) => {
    const { sequence, reference, postedBy, credits, position, dueAt } = row;
    const drawn = { start: position - credits, end: position };
    return { sequence, charged: toCharged(row), reference, postedBy, credits, drawn, dueAt };
  });
}

/** What a stretch of the line paid for of one add-on, or of what one lot was reversed by. */
export interface ChargeTotal {
  readonly charged: Charged;
  readonly charges: number;
  readonly credits: MicroCredits;
}

const TOTAL_ACROSS = `
  SELECT ${CHARGED}, count(*)::integer AS charges,
         sum(least(position, $3) - greatest(position + credits, $2))::bigint AS credits
  ${ACROSS}
  GROUP BY 1, 2, 3
  ORDER BY 5 DESC, 2, 3`;

/** What a stretch of the line paid for beside usage, most first. */
export async function chargeTotalsAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
): Promise<ChargeTotal[]> {
  type Total = ChargedRow & Omit<ChargeTotal, "charged">;
  const values = [accountId, stretch.start, stretch.end];
  const rows = await queryRows<Total>(transaction, TOTAL_ACROSS, values);
  return rows.map((row) => {
    return { charged: toCharged(row), charges: row.charges, credits: row.credits };
  });
}

function toCharged(row: ChargedRow): Charged {
  switch (row.kind) {
    case "reversal":
      return { kind: row.kind, by: row.by, lotId: row.subject };
    case "adjustment":
      return { kind: row.kind, reference: row.subject };
    case "add_on_charge":
      return { kind: row.kind, addOnId: row.subject };
  }
}
