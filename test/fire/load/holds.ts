import { setTimeout as wait } from "node:timers/promises";
import type { Random } from "../../model/random.ts";
import type { FireAccount } from "./accounts.ts";
import type { Api } from "./api.ts";
import type { Usage } from "./event.ts";
import type { Generator } from "./generator.ts";

/** A hold of the load, and what became of it. */
export interface LoadedHold {
  readonly accountId: string;
  readonly holdId: string;
  readonly credits: bigint;
  /** By usage that named it: all of it, where it is captured. */
  readonly used: bigint;
  readonly end: "captured" | "released" | "expired";
}

export interface HoldLoad {
  /** All of them have been given. */
  readonly holds: readonly LoadedHold[];
  /** Why some were not: requests that the API refused for good. */
  readonly refused: readonly string[];
  /** Makes no more, and resolves when those under way are used and closed. */
  stop(): Promise<void>;
}

export interface HoldLoadOptions {
  readonly accounts: readonly FireAccount[];
  readonly random: Random;
  readonly api: Api;
  readonly generator: Generator;
  /** What the clocks of the services show. */
  now(): number;
}

const WORKERS = 2;
const PAUSE_MS = 300;
/** Longer than any fault lasts: nothing is closed late. */
const TTL_SECONDS = 3_600;
const SHORT_TTL_SECONDS = 3;
/** Micro-credits; check/prices.ts has the same. */
const CALL = 50_000n;
const ENDS = [
  [6, "captured"],
  [2, "released"],
  [2, "expired"],
] as const;

/** Makes holds on accounts that have enough, uses them, and closes them or forgets them, until it is stopped. */
export function startHolds({ accounts, random, api, generator, now }: HoldLoadOptions): HoldLoad {
  const rich = accounts.filter(({ kind }) => kind === "steady");
  const holds: LoadedHold[] = [];
  const refused: string[] = [];
  let isStopping = false;
  let count = 0;

  async function runOnce(): Promise<void> {
    count += 1;
    const holdId = `fire-hold-${count}`;
    const end = random.pickWeighted(ENDS);
    const accountId = random.pick(rich).id;
    const quantities = [random.between(1, 50), random.between(1, 50)].map(BigInt);
    const credits = quantities.reduce((sum, quantity) => sum + quantity * CALL, 0n);
    const dimensions = { model: random.pick(["small", "large"]) };
    const usesFirst = random.chance(0.5);
    const place = `/v1/accounts/${accountId}/holds`;
    const ttl_seconds = end === "expired" ? SHORT_TTL_SECONDS : TTL_SECONDS;
    const asked = { hold_id: holdId, credits: String(credits), ttl_seconds, dimensions };
    await api.must("POST", place, asked);
    holds.push({ accountId, holdId, credits, used: end === "captured" ? credits : 0n, end });
    if (end === "expired") return;
    if (end === "released") return void (await api.must("POST", `${place}/${holdId}/release`, {}));
    const use = async () => {
      const usages = quantities.map(
        (quantity, at): Usage => ({
          ...{ event_id: `${holdId}-${at}`, account_id: accountId, meter: "fire.calls", quantity },
          ...{ occurred_at: BigInt(now()), source: "fire-holds", dimensions, hold_id: holdId },
        }),
      );
      await generator.publish(usages.map((usage) => ({ usage })));
    };
    if (usesFirst) await use();
    await api.must("POST", `${place}/${holdId}/capture`, { credits: String(credits) });
    if (!usesFirst) await use();
  }

  async function work(): Promise<void> {
    while (!isStopping) {
      await runOnce().catch((error: Error) => void refused.push(error.message));
      await wait(PAUSE_MS);
    }
  }

  const working = Promise.all(Array.from({ length: WORKERS }, work));
  return {
    ...{ holds, refused },
    async stop() {
      isStopping = true;
      await working;
    },
  };
}
