import type { DatabaseSync } from "node:sqlite";
import type { BehaviourName } from "./cards.ts";
import type { Payment } from "./payment.ts";

/** Payments on a page. */
export const PAGE = 500;

/** When payments were made, and after which one of them. */
export interface MadeBetween {
  readonly since: number;
  readonly until: number;
  readonly after: string;
}

/** The charge log. */
export interface Payments {
  /** Throws where the id or the key is there already. */
  add(payment: Payment): void;
  byId(id: string): Payment | undefined;
  byKey(key: string): Payment | undefined;
  /** All that are there now, or all of one account, oldest first, page by page: never all in memory. */
  pages(accountId?: string): Generator<readonly Payment[]>;
  /** Those made in [since, until), in milliseconds, and not declined, after the one of an id ("": from the first): a page. */
  made(between: MadeBetween): readonly Payment[];
  /** Lets some of those under way since `createdAt` (milliseconds) or before succeed, and gives them. */
  settle(createdAt: number): Payment[];
  /** When the oldest that is under way was made, in milliseconds; null: none is. */
  oldestProcessing(): number | null;
}

interface Row {
  readonly seq: bigint;
  readonly id: string;
  readonly key: string;
  readonly account_id: string;
  readonly payment_id: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly customer: string;
  readonly method: string;
  readonly behaviour: BehaviourName;
  readonly status: Payment["status"];
  readonly created_at: bigint;
}

export function paymentsIn(database: DatabaseSync): Payments {
  const insert = database.prepare(
    `INSERT INTO payment (id, key, account_id, payment_id, amount, currency, customer, method,
       behaviour, status, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byId = database.prepare("SELECT * FROM payment WHERE id = ?");
  const byKey = database.prepare("SELECT * FROM payment WHERE key = ?");
  const lastSeq = database.prepare("SELECT coalesce(max(seq), 0) AS last FROM payment");
  const page = database.prepare(
    `SELECT * FROM payment WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const pageOfAccount = database.prepare(
    `SELECT * FROM payment WHERE account_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const made = database.prepare(
    `SELECT * FROM payment
     WHERE created_at >= ? AND created_at < ? AND status <> 'declined'
       AND seq > coalesce((SELECT seq FROM payment WHERE id = ?), 0)
     ORDER BY seq LIMIT ${PAGE}`,
  );
  const settle = database.prepare(
    `UPDATE payment SET status = 'succeeded'
     WHERE seq IN (SELECT seq FROM payment WHERE status = 'processing' AND created_at <= ?
                   ORDER BY created_at LIMIT ${PAGE})
     RETURNING *`,
  );
  const oldestProcessing = database.prepare(
    "SELECT min(created_at) AS oldest FROM payment WHERE status = 'processing'",
  );

  return {
    add(of) {
      const { id, key, accountId, paymentId, amount, currency, customer, method } = of;
      const { behaviour, status, createdAt } = of;
      const asked = [id, key, accountId, paymentId, amount, currency, customer, method] as const;
      insert.run(...asked, behaviour, status, createdAt);
    },
    byId: (id) => paymentOf(byId.get(id) as Row | undefined),
    byKey: (key) => paymentOf(byKey.get(key) as Row | undefined),
    *pages(accountId) {
      const { last } = lastSeq.get() as { last: bigint };
      for (let after = 0n; ; ) {
        const rows = (accountId === undefined
          ? page.all(after, last)
          : pageOfAccount.all(accountId, after, last)) as unknown as Row[];
        const end = rows.at(-1);
        if (end === undefined) return;
        yield rows.map(toPayment);
        after = end.seq;
      }
    },
    made: ({ since, until, after }) =>
      (made.all(since, until, after) as unknown as Row[]).map(toPayment),
    settle: (createdAt) => (settle.all(createdAt) as unknown as Row[]).map(toPayment),
    oldestProcessing() {
      const { oldest } = oldestProcessing.get() as { oldest: bigint | null };
      return oldest === null ? null : Number(oldest);
    },
  };
}

function paymentOf(row: Row | undefined): Payment | undefined {
  return row === undefined ? undefined : toPayment(row);
}

function toPayment(row: Row): Payment {
  return {
    id: row.id,
    key: row.key,
    accountId: row.account_id,
    paymentId: row.payment_id,
    amount: row.amount,
    currency: row.currency,
    customer: row.customer,
    method: row.method,
    behaviour: row.behaviour,
    status: row.status,
    createdAt: Number(row.created_at),
  };
}
