import { cardScripts } from "./card-scripts.ts";
import { inTransaction, openDatabase } from "./database.ts";
import { paymentsIn } from "./payments.ts";
import { takenBackIn } from "./taken-back.ts";

export type Store = ReturnType<typeof openStore>;

/** The gateway's state. Each call is durable when it returns. Idempotency keys are forgotten after `keysKeptMs`. */
export function openStore(folder: string, keysKeptMs: number) {
  const database = openDatabase(folder);
  const payments = paymentsIn(database);
  const takenBack = takenBackIn(database);
  return {
    payments,
    takenBack,
    /** What a key was used for, as far as the gateway remembers. */
    usedFor(key: string) {
      const since = Date.now() - keysKeptMs;
      return { payment: payments.byKey(key, since), takenBack: takenBack.byKey(key, since) };
    },
    scripts: cardScripts(database),
    /** Stores everything that `work` does; if it throws, nothing. */
    atomically: <T>(work: () => T): T => inTransaction(database, work),
    close: () => database.close(),
  };
}
