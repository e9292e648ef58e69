import { setTimeout as wait } from "node:timers/promises";
import { openHistory } from "../fire/history.ts";
import { type Figure, type LoadResult, told } from "./figure.ts";
import { compared, drained } from "./finish.ts";
import { boundFigures } from "./judge.ts";
import type { Sample } from "./sample.ts";
import { bringNear, openLoadScene } from "./scene.ts";
import { sustainableRate } from "./sustainable-rate.ts";
import { startWatch } from "./watch.ts";

const TIMES = 10;
/** What the load may fall short of that, since it runs on the same machine. */
const LEAST_TIMES = 8;
/** Of the time that the load took. */
const DRAIN_TIMES = 2;

export interface LoadOptions {
  readonly minutes: number;
  readonly seed: number;
}

/** Ten times what metering can do, then, with Postgres near again, all of it drained and compared. */
export async function overload(
  options: LoadOptions,
  tell: (line: string) => void,
): Promise<LoadResult> {
  const history = openHistory(tell);
  const scene = await openLoadScene(options.seed, history);
  try {
    const rate = await sustainableRate(scene, history);
    history.note(`sustainable are ${rate} events/s; ${TIMES * rate} are offered from now on`);
    const watch = startWatch(scene, history);
    scene.generator.setRate(TIMES * rate);
    await wait(options.minutes * 60_000);
    const underLoad = watch.samples.length;
    const withinMs = DRAIN_TIMES * (60_000 + options.minutes * 60_000);
    bringNear(scene);
    const isDrained = await drained(scene, withinMs, history);
    await watch.stop();
    const { samples } = watch;
    const figures = [
      ...loadFigures(samples.slice(0, underLoad), rate),
      isDrained,
      ...boundFigures(samples),
      ...(await compared(scene, history)),
    ];
    return { options: { load: "overload", ...options }, figures };
  } finally {
    await scene.close();
  }
}

function loadFigures(samples: readonly Sample[], rate: number): Figure[] {
  const [from, to] = [samples[0], samples.at(-1)];
  if (from === undefined || to === undefined) throw new Error("nothing was sampled under load");
  const seconds = (to.at - from.at) / 1000;
  const offered = (to.published - from.published) / seconds;
  const metered = (to.metered - from.metered) / seconds;
  return [
    told("sustainable", `${rate} events/s`),
    {
      what: "offered",
      value: `${offered.toFixed(0)} events/s, ${(offered / rate).toFixed(1)} times as many`,
      bound: `at least ${LEAST_TIMES} times`,
      isWell: offered >= LEAST_TIMES * rate,
    },
    told("metered meanwhile", `${metered.toFixed(0)} events/s`),
    told("largest backlog", `${Math.max(...samples.map(({ unread }) => unread))} events`),
  ];
}
