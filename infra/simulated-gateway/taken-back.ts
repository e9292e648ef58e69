import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { TakenBack } from "./payment.ts";

const COLUMNS = "id, payment, key, kind, amount";

const row = z.object({
  ...{ id: z.string(), payment: z.string(), key: z.string().nullable() },
  ...{ kind: z.enum(["refund", "chargeback"]), amount: z.bigint() },
});

/** Refunds and chargebacks. */
export function takenBackIn(database: DatabaseSync) {
  const insert = database.prepare(
    `INSERT INTO taken_back (${COLUMNS}, created_at)
     VALUES (:id, :payment, :key, :kind, :amount, :createdAt)`,
  );
  const byKey = database.prepare(
    `SELECT ${COLUMNS} FROM taken_back WHERE key = ? AND created_at > ? ORDER BY seq DESC LIMIT 1`,
  );
  const ofPayment = database.prepare(
    `SELECT ${COLUMNS} FROM taken_back WHERE payment = ? ORDER BY seq`,
  );
  return {
    /** Throws if the id exists. */
    add: (takenBack: TakenBack, createdAt: number): void =>
      void insert.run({ ...takenBack, createdAt }),
    /** The last one made under a key, if that was after `since` (milliseconds). */
    byKey: (key: string, since: number): TakenBack | undefined =>
      row.optional().parse(byKey.get(key, since)),
    /** All of one payment, oldest first. */
    of: (payment: string): TakenBack[] => z.array(row).parse(ofPayment.all(payment)),
  };
}
