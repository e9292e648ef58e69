import type { History } from "../fire/history.ts";
import { fireAccounts } from "../fire/load/accounts.ts";
import { openScene, type Scene } from "../fire/open-scene.ts";

/**
 * A far database and small transactions bound metering by time and not by CPU. So it can be given ten times what
 * it can do by a load on the same two cores, whose every event is then compared in memory.
 */
const SETTINGS = { METERING_BATCH_EVENTS: "50" };
/** Of each piece between metering and Postgres, in either direction. */
const FAR_MS = 100;
const CALM_RATE = 50;
/** Cents. With the usual amount, much of the load would be top-ups. */
const TOP_UP = "50000";

export async function openLoadScene(seed: number, history: History): Promise<Scene> {
  const accounts = fireAccounts(0);
  const options = {
    accounts,
    settings: SETTINGS,
    loadSeed: seed,
    eventsPerSecond: CALM_RATE,
  };
  const scene = await openScene(options, history);
  for (const { id, card } of accounts) {
    if (card === null) continue;
    await scene.api.must("PATCH", `/v1/accounts/${id}/auto-top-up`, { amount: TOP_UP });
  }
  setDistance(scene, FAR_MS);
  return scene;
}

/** As near as Postgres is. */
export function bringNear(scene: Scene): void {
  setDistance(scene, 0);
}

function setDistance({ stage }: Scene, ms: number): void {
  for (const { ways } of stage.running("metering")) {
    ways.postgres.setWeather(ms === 0 ? { kind: "clear" } : { kind: "slow", ms });
  }
}
