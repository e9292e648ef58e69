import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { TakenBack } from "./payment.ts";

/** Refunds and chargebacks. */
export interface AllTakenBack {
  /** Throws if the id or the key exists. */
  add(takenBack: TakenBack): void;
  byKey(key: string): TakenBack | undefined;
  /** All of one payment, oldest first. */
  of(payment: string): TakenBack[];
}

const COLUMNS = "id, payment, key, kind, amount";

const row = z.object({
  ...{ id: z.string(), payment: z.string(), key: z.string().nullable() },
  ...{ kind: z.enum(["refund", "chargeback"]), amount: z.bigint() },
});

export function takenBackIn(database: DatabaseSync): AllTakenBack {
  const insert = database.prepare(`INSERT INTO taken_back (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
  const byKey = database.prepare(`SELECT ${COLUMNS} FROM taken_back WHERE key = ?`);
  const ofPayment = database.prepare(
    `SELECT ${COLUMNS} FROM taken_back WHERE payment = ? ORDER BY seq`,
  );
  return {
    add({ id, payment, key, kind, amount }) {
      insert.run(id, payment, key, kind, amount);
    },
    byKey: (key) => row.optional().parse(byKey.get(key)),
    of: (payment) => z.array(row).parse(ofPayment.all(payment)),
  };
}
