import type { DatabaseSync } from "node:sqlite";
import type { BehaviourName } from "./cards.ts";

/** What cards were told to do, instead of what their names say. */
export interface CardScripts {
  /** The card's next charges behave by the list, one each; the last one stays. */
  set(method: string, script: readonly BehaviourName[]): void;
  /** What the card's next charge does, which uses it up; undefined: the card has no script. */
  next(method: string): BehaviourName | undefined;
}

export function cardScripts(database: DatabaseSync): CardScripts {
  const write = database.prepare(
    `INSERT INTO card_script (method, script, used) VALUES (?, ?, 0)
     ON CONFLICT (method) DO UPDATE SET script = excluded.script, used = 0`,
  );
  const use = database.prepare(
    "UPDATE card_script SET used = used + 1 WHERE method = ? RETURNING script, used",
  );
  return {
    set(method, script) {
      write.run(method, JSON.stringify(script));
    },
    next(method) {
      const row = use.get(method) as { script: string; used: bigint } | undefined;
      if (row === undefined) return undefined;
      const script = JSON.parse(row.script) as BehaviourName[];
      return script[Number(row.used) - 1] ?? script.at(-1);
    },
  };
}
