import { type Queryable, queryRow } from "../postgres/database.ts";

/** What is under way on an account, in numbers. As long as anything is, it is not erased. */
export interface Waits {
  /** The plan of its subscription; null: it has none. */
  readonly plan: string | null;
  readonly holds: number;
  /** Payments whose outcome is open, or that are tried again. */
  readonly payments: number;
  readonly refunds: number;
  /** Charges at the gateway that the books do not know. */
  readonly charges: number;
  /** Messages that could not be metered, and about which nobody has decided. */
  readonly deadLetters: number;
  /** Records that are not on their topic yet. */
  readonly records: number;
  readonly deliveries: number;
}

const READ = `
  SELECT
    (SELECT plan_id FROM schedule WHERE account_id = $1) AS plan,
    (SELECT count(*)::integer FROM hold WHERE account_id = $1 AND ended_at IS NULL) AS holds,
    (SELECT count(*)::integer FROM payment
     WHERE account_id = $1 AND status IN ('pending', 'retrying')) AS payments,
    (SELECT count(*)::integer FROM refund WHERE account_id = $1 AND status = 'pending') AS refunds,
    (SELECT count(*)::integer FROM unmatched_charge WHERE account_id = $1) AS charges,
    (SELECT count(*)::integer FROM dead_letter
     WHERE account_id = $1 AND retried_at IS NULL AND dismissed_at IS NULL) AS "deadLetters",
    (SELECT count(*)::integer FROM outbox WHERE account_id = $1)
      + (SELECT count(*)::integer FROM dead_letter
         WHERE account_id = $1 AND published_at IS NULL AND publish_refused IS NULL) AS records,
    (SELECT count(*)::integer FROM webhook_queue WHERE account_id = $1) AS deliveries`;

/** What is under way on an account. */
export async function readWaits(database: Queryable, accountId: string): Promise<Waits> {
  const waits = await queryRow<Waits>(database, READ, [accountId]);
  if (waits === null) throw new Error("counts have no row");
  return waits;
}

/** True when an erasure need not wait. */
export function isNothing({ plan, ...counts }: Waits): boolean {
  return plan === null && Object.values(counts).every((count) => count === 0);
}
