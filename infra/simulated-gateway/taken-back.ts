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
    `INSERT INTO taken_back (${COLUMNS}) VALUES (:id, :payment, :key, :kind, :amount)`,
  );
  const byKey = database.prepare(`SELECT ${COLUMNS} FROM taken_back WHERE key = ?`);
  const ofPayment = database.prepare(
    `SELECT ${COLUMNS} FROM taken_back WHERE payment = ? ORDER BY seq`,
  );
  return {
    /** Throws if the id or the key exists. */
    add: (takenBack: TakenBack): void => void insert.run({ ...takenBack }),
    byKey: (key: string): TakenBack | undefined => row.optional().parse(byKey.get(key)),
    /** All of one payment, oldest first. */
    of: (payment: string): TakenBack[] => z.array(row).parse(ofPayment.all(payment)),
  };
}
