import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { BEHAVIOUR_NAMES, type BehaviourName } from "./cards.ts";

const row = z.object({
  script: z.string().transform((json) => z.array(z.enum(BEHAVIOUR_NAMES)).parse(JSON.parse(json))),
  used: z.bigint(),
});

/** Scripts that replace the behaviour in a card's name. */
export function cardScripts(database: DatabaseSync) {
  const write = database.prepare(
    `INSERT INTO card_script (method, script, used) VALUES (?, ?, 0)
     ON CONFLICT (method) DO UPDATE SET script = excluded.script, used = 0`,
  );
  const use = database.prepare(
    "UPDATE card_script SET used = used + 1 WHERE method = ? RETURNING script, used",
  );
  return {
    /** Each next charge uses one behaviour of the list; the last one stays. */
    set(method: string, script: readonly BehaviourName[]): void {
      write.run(method, JSON.stringify(script));
    },
    /** Uses up the card's next behaviour; undefined if the card has no script. */
    next(method: string): BehaviourName | undefined {
      const { script = [], used = 0n } = row.optional().parse(use.get(method)) ?? {};
      return script[Number(used) - 1] ?? script.at(-1);
    },
  };
}
