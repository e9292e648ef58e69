import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { BEHAVIOUR_NAMES } from "./cards.ts";
import type { Payment } from "./payment.ts";

/** Payments on a page. */
export const PAGE = 500;

/** Payments made in [since, until), in milliseconds, that follow the payment of an id ("" for all). */
export interface MadeBetween {
  readonly since: number;
  readonly until: number;
  readonly after: string;
}

const COLUMNS = `seq, id, key, account_id AS accountId, payment_id AS paymentId, amount, currency,
       customer, method, behaviour, status, created_at AS createdAt`;

const text = z.string();
const instant = z.bigint().transform(Number);
const row = z.object({
  seq: z.bigint(),
  ...{ id: text, key: text, accountId: text, paymentId: text, customer: text, method: text },
  ...{ amount: z.bigint(), currency: text, createdAt: instant },
  behaviour: z.enum(BEHAVIOUR_NAMES),
  status: z.enum(["succeeded", "processing", "declined"]),
});
const rows = z.array(row);
const newest = z.object({ last: z.bigint() });
const first = z.object({ oldest: instant.nullable() });

/** The charge log. */
export function paymentsIn(database: DatabaseSync) {
  const insert = database.prepare(
    `INSERT INTO payment (id, key, account_id, payment_id, amount, currency, customer, method,
       behaviour, status, created_at)
     VALUES (:id, :key, :accountId, :paymentId, :amount, :currency, :customer, :method,
       :behaviour, :status, :createdAt)`,
  );
  const byId = database.prepare(`SELECT ${COLUMNS} FROM payment WHERE id = ?`);
  const byKey = database.prepare(
    `SELECT ${COLUMNS} FROM payment WHERE key = ? AND created_at > ? ORDER BY seq DESC LIMIT 1`,
  );
  const ofKey = database.prepare(
    `SELECT ${COLUMNS} FROM payment WHERE key = ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const lastSeq = database.prepare("SELECT coalesce(max(seq), 0) AS last FROM payment");
  const page = database.prepare(
    `SELECT ${COLUMNS} FROM payment WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const pageOfAccount = database.prepare(
    `SELECT ${COLUMNS} FROM payment WHERE account_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const made = database.prepare(
    `SELECT ${COLUMNS} FROM payment
     WHERE created_at >= ? AND created_at < ? AND status <> 'declined'
       AND seq > coalesce((SELECT seq FROM payment WHERE id = ?), 0)
     ORDER BY seq LIMIT ${PAGE}`,
  );
  const settle = database.prepare(
    `UPDATE payment SET status = 'succeeded'
     WHERE seq IN (SELECT seq FROM payment WHERE status = 'processing' AND created_at <= ?
                   ORDER BY created_at LIMIT ${PAGE})
     RETURNING ${COLUMNS}`,
  );
  const oldestProcessing = database.prepare(
    "SELECT min(created_at) AS oldest FROM payment WHERE status = 'processing'",
  );

  return {
    /** Throws if the id exists. */
    add: (payment: Payment): void => void insert.run({ ...payment }),
    byId: (id: string): Payment | undefined => row.optional().parse(byId.get(id)),
    /** The last one made under a key, if that was after `since` (milliseconds). */
    byKey: (key: string, since: number): Payment | undefined =>
      row.optional().parse(byKey.get(key, since)),
    /** All of a key, oldest first: more than one if it was forgotten. */
    ofKey: (key: string): readonly Payment[] => rows.parse(ofKey.all(key)),
    /** All payments so far, or those of one account, oldest first, page by page. */
    *pages(accountId?: string): Generator<readonly Payment[]> {
      const { last } = newest.parse(lastSeq.get());
      for (let after = 0n; ; ) {
        const found = rows.parse(
          accountId === undefined
            ? page.all(after, last)
            : pageOfAccount.all(accountId, after, last),
        );
        const end = found.at(-1);
        if (end === undefined) return;
        yield found;
        after = end.seq;
      }
    },
    /** A page of those that were not declined. */
    made: ({ since, until, after }: MadeBetween): readonly Payment[] =>
      rows.parse(made.all(since, until, after)),
    /** Lets a page of those processing since `createdAt` (milliseconds) or before succeed. */
    settle: (createdAt: number): readonly Payment[] => rows.parse(settle.all(createdAt)),
    /** When the oldest that is processing was made (milliseconds); null if there is none. */
    oldestProcessing: (): number | null => first.parse(oldestProcessing.get()).oldest,
  };
}
