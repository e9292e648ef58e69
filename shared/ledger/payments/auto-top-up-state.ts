import type { Account, Instant } from "../../core/line/account.ts";
import { startOfDay, startOfMonth } from "../../core/offer/months.ts";
import type { AutoTopUp } from "../../core/payments/auto-top-up.ts";
import { readAutoTopUp } from "../books/auto-top-ups.ts";
import { type Queryable, queryRow } from "../postgres/database.ts";

/** An account's auto top-up with what was charged and who agreed to it. */
export interface AutoTopUpState {
  readonly auto: AutoTopUp;
  /** Paid or pending top-ups of this day and month of the account's time zone, in minor units. */
  readonly charged: { readonly today: bigint; readonly thisMonth: bigint };
  /** Null: it is off. */
  readonly consent: Consent | null;
}

/** Who last switched auto top-up on or changed its amount, its limits or the threshold. */
export interface Consent {
  readonly by: string;
  readonly at: Instant;
  /** Nobody has: it is on since the account was created. */
  readonly byDefault: boolean;
}

const CHARGED = `
  SELECT coalesce(sum(amount) FILTER (WHERE created_at >= to_timestamp($2 / 1000.0)), 0)::bigint
           AS today,
         coalesce(sum(amount), 0)::bigint AS "thisMonth"
  FROM payment
  WHERE account_id = $1
    AND kind = 'top_up'
    AND status IN ('pending', 'succeeded')
    AND created_at >= to_timestamp($3 / 1000.0)`;

/** Read from the newest change back to the one before which the terms were others. */
const CONSENT = `
  SELECT by, at, "byDefault"
  FROM (
    SELECT changed_by AS by, changed_at AS at, sequence, sequence = 1 AS "byDefault", terms,
           lead(terms) OVER (ORDER BY sequence DESC) AS before
    FROM (
      SELECT changed_by, changed_at, sequence,
             jsonb_build_array(detail -> 'auto_top_up', detail -> 'threshold') AS terms
      FROM setting_change
      WHERE account_id = $1
    ) AS change
  ) AS change
  WHERE terms IS DISTINCT FROM before
  ORDER BY sequence DESC
  LIMIT 1`;

/** `now`: the day and the month whose charges are summed. */
export async function readAutoTopUpState(
  database: Queryable,
  { accountId, timeZone }: Pick<Account, "accountId" | "timeZone">,
  now: Instant,
): Promise<AutoTopUpState> {
  const auto = await readAutoTopUp(database, accountId);
  const since = [startOfDay(now, timeZone), startOfMonth(now, timeZone)];
  const charged = await queryRow<AutoTopUpState["charged"]>(
    database,
    CHARGED,
    [accountId, ...since],
    "read-charged",
  );
  if (charged === null) throw new Error("an aggregate without a row");
  const consent = auto.enabled ? await queryRow<Consent>(database, CONSENT, [accountId]) : null;
  return { auto, charged, consent };
}
