import { setTimeout as wait } from "node:timers/promises";
import { again } from "../again.ts";
import { readGateway } from "../check/gateway.ts";
import { ANSWERS_AFTER_MS } from "../stage/gateway.ts";
import type { Stage } from "../stage/stage.ts";
import type { Kind } from "./kind.ts";

const CHARGE = "POST /v1/payments ";
const LONGEST_WAIT_MS = 20_000;
/** A charge is on the gateway's disk by then, and not answered yet. */
const CHARGED_AFTER_MS = ANSWERS_AFTER_MS / 2;

/** What happens to the gateway's process. */
export const GATEWAY_FAULTS: readonly Kind[] = [
  {
    name: "the gateway dies between a charge and its answer",
    about: "gateway",
    lasts: [1, 5],
    backWithin: 30,
    counts: "charges unanswered",
    async begin(stage, _, count) {
      await nextCharge(stage);
      await wait(CHARGED_AFTER_MS);
      const diedAt = stage.now();
      await stage.gateway.kill();
      return async () => {
        await stage.gateway.start();
        count(await chargedSince(stage, diedAt - ANSWERS_AFTER_MS));
      };
    },
  },
];

/** Resolves when a service sends a charge to the gateway, or when none has come for long. */
async function nextCharge({ members }: Stage): Promise<void> {
  const watches = members.map(({ ways }) => ways.gateway.watch(CHARGE, "goes on"));
  const tooLong = new AbortController();
  await Promise.race([
    ...watches.map(({ seen }) => seen),
    wait(LONGEST_WAIT_MS, undefined, { signal: tooLong.signal }).catch(() => undefined),
  ]);
  tooLong.abort();
  for (const { forget } of watches) forget();
}

/** How many of the charges that the gateway knows were made since, in its clock. */
async function chargedSince({ gatewayUrl }: Stage, since: number): Promise<number> {
  const charges = await again(() => readGateway(gatewayUrl));
  return charges.filter(({ created_at }) => Date.parse(created_at) >= since).length;
}
