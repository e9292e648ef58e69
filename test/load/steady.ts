import { setTimeout as wait } from "node:timers/promises";
import { openHistory } from "../fire/history.ts";
import { unreadBy } from "../fire/load/drain.ts";
import type { Scene } from "../fire/open-scene.ts";
import { atMost, type LoadResult, told } from "./figure.ts";
import { compared, drained } from "./finish.ts";
import { boundFigures, flatFigures } from "./judge.ts";
import type { LoadOptions } from "./overload.ts";
import { openLoadScene } from "./scene.ts";
import { sustainableRate } from "./sustainable-rate.ts";
import { startWatch } from "./watch.ts";

const DRAIN_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;
/** While metering gets through what the search for its limit has left. */
const CATCH_UP_RATE = 1;
/** Of load that waits: a transaction over the distance to the database takes seconds, and two follow each other. */
const MOST_BEHIND_SECONDS = 10;

/** Half of what metering can do, for long: nothing grows but usage. */
export async function steady(
  options: LoadOptions,
  tell: (line: string) => void,
): Promise<LoadResult> {
  const history = openHistory(tell);
  const scene = await openLoadScene(options.seed, history);
  try {
    const sustainable = await sustainableRate(scene, history);
    const rate = Math.ceil(sustainable / 2);
    scene.generator.setRate(CATCH_UP_RATE);
    await untilCaughtUp(scene, rate);
    scene.generator.setRate(rate);
    history.note(`${rate} events/s from now on, half of ${sustainable}`);
    const watch = startWatch(scene, history);
    await wait(options.minutes * 60_000);
    await watch.stop();
    const { samples } = watch;
    const behind = Math.max(...samples.map(({ unread }) => unread));
    const figures = [
      told("load", `${rate} events/s, half of ${sustainable}`),
      atMost("largest backlog", behind, MOST_BEHIND_SECONDS * rate, "events"),
      await drained(scene, DRAIN_WITHIN_MS, history),
      ...boundFigures(samples),
      ...flatFigures(samples),
      ...(await compared(scene, history)),
    ];
    return { options: { load: "steady", ...options }, figures };
  } finally {
    await scene.close();
  }
}

async function untilCaughtUp({ admin, database }: Scene, rate: number): Promise<void> {
  while ((await unreadBy(admin, database, "metering", "usage.events")) > rate) {
    await wait(LOOK_EVERY_MS);
  }
}
