import { setTimeout as wait } from "node:timers/promises";
import type { History } from "../fire/history.ts";
import type { Scene } from "../fire/open-scene.ts";
import { takeSample } from "./sample.ts";

/** Two seconds' worth of load that wait are a backlog. */
const BEHIND_SECONDS = 2;
const FIRST_RATE = 200;
const MOST_RATE = 20_000;
const SETTLES_MS = 5_000;
const MEASURED_MS = 15_000;

/**
 * Doubles the load until metering falls behind, and returns how many events a second it meters then, beside
 * everything else on this machine.
 */
export async function sustainableRate(scene: Scene, history: History): Promise<number> {
  for (let offered = FIRST_RATE; offered <= MOST_RATE; offered *= 2) {
    scene.generator.setRate(offered);
    await wait(SETTLES_MS);
    const from = await takeSample(scene);
    await wait(MEASURED_MS);
    const to = await takeSample(scene);
    const rate = ((to.metered - from.metered) * 1000) / (to.at - from.at);
    history.note(`offered ${offered} events/s: ${rate.toFixed(0)} metered, ${to.unread} wait`);
    if (to.unread > BEHIND_SECONDS * offered) return Math.floor(rate);
  }
  throw new Error(`metering keeps up with ${MOST_RATE} events/s: there is no overloading it here`);
}
