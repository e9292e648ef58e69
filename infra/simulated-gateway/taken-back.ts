import type { DatabaseSync } from "node:sqlite";
import type { TakenBack } from "./payment.ts";

/** Refunds and chargebacks. */
export interface AllTakenBack {
  /** Throws where the id or the key is there already. */
  add(takenBack: TakenBack): void;
  byKey(key: string): TakenBack | undefined;
  /** All of one payment, oldest first. */
  of(payment: string): TakenBack[];
}

const COLUMNS = "id, payment, key, kind, amount";

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
    byKey: (key) => byKey.get(key) as TakenBack | undefined,
    of: (payment) => ofPayment.all(payment) as unknown as TakenBack[],
  };
}
