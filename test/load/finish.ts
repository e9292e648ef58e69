import { check } from "../fire/check/check.ts";
import type { History } from "../fire/history.ts";
import { drain } from "../fire/load/drain.ts";
import type { Scene } from "../fire/open-scene.ts";
import type { Figure } from "./figure.ts";

const FINDINGS = 3;

/** Waits until everything that was published is dealt with. */
export async function drained(scene: Scene, withinMs: number, history: History): Promise<Figure> {
  const from = performance.now();
  await scene.generator.stop();
  history.note("the load stops");
  const left = await drain(scene.admin, scene.database, withinMs);
  const took = `${((performance.now() - from) / 1000).toFixed(0)} s`;
  const what = "everything published is dealt with";
  const bound = `within ${(withinMs / 1000).toFixed(0)} s`;
  history.note(left.length === 0 ? `drained in ${took}` : `left: ${left.join(", ")}`);
  return {
    ...{ what, bound, isWell: left.length === 0 },
    value: left.length === 0 ? took : left.join(", "),
  };
}

/** The checks of the fire: each event metered exactly once, each crossing charged once, and so on. */
export async function compared(scene: Scene, history: History): Promise<Figure[]> {
  history.note("comparing journal, topics, books and gateway");
  const { stage, accounts, opened, journal, generator } = scene;
  const { env, superuserUrl, gatewayUrl } = stage;
  const checked = await check({
    ...{ env, superuserUrl, gatewayUrl, accounts },
    ...{ journal: journal.sent, schemaId: generator.schemaId },
    ...{ calendar: { opened, endedAt: stage.now() }, holds: [] },
  });
  const { refused } = generator;
  const load = { what: "nothing that was published was refused", looked: journal.sent.length };
  return [{ ...load, findings: refused }, ...checked].map(({ what, looked, findings }) => ({
    what,
    value:
      findings.length === 0
        ? String(looked)
        : findings.slice(0, FINDINGS).join("; ").replaceAll("\n", " "),
    bound: "no finding",
    isWell: findings.length === 0,
  }));
}
