import { cardScripts } from "./card-scripts.ts";
import { inTransaction, openDatabase } from "./database.ts";
import { paymentsIn } from "./payments.ts";
import { takenBackIn } from "./taken-back.ts";

export type Store = ReturnType<typeof openStore>;

/** The gateway's state. Each call is durable when it returns. */
export function openStore(folder: string) {
  const database = openDatabase(folder);
  return {
    payments: paymentsIn(database),
    takenBack: takenBackIn(database),
    scripts: cardScripts(database),
    /** Stores everything that `work` does; if it throws, nothing. */
    atomically: <T>(work: () => T): T => inTransaction(database, work),
    close: () => database.close(),
  };
}
