import type { DatabaseSync } from "node:sqlite";
import { type CardScripts, cardScripts } from "./card-scripts.ts";
import { inTransaction, openDatabase } from "./database.ts";
import { type Payments, paymentsIn } from "./payments.ts";
import { type AllTakenBack, takenBackIn } from "./taken-back.ts";

/** The gateway's state. Each call is durable when it returns. */
export interface Store {
  readonly payments: Payments;
  readonly takenBack: AllTakenBack;
  readonly scripts: CardScripts;
  /** Stores everything that `work` does; if it throws, nothing. */
  atomically<T>(work: () => T): T;
  close(): void;
}

export function openStore(folder: string): Store {
  const database: DatabaseSync = openDatabase(folder);
  return {
    payments: paymentsIn(database),
    takenBack: takenBackIn(database),
    scripts: cardScripts(database),
    atomically: (work) => inTransaction(database, work),
    close: () => database.close(),
  };
}
