import { setTimeout as wait } from "node:timers/promises";
import type { History } from "../fire/history.ts";
import type { Scene } from "../fire/open-scene.ts";
import { type Sample, takeSample } from "./sample.ts";

export interface Watch {
  readonly samples: readonly Sample[];
  /** Throws where a sample could not be taken. */
  stop(): Promise<void>;
}

const EVERY_MS = 2_000;
const TELL_EVERY = 5;

/** Samples until it is stopped, and tells of one in five. */
export function startWatch(scene: Scene, history: History): Watch {
  const stopping = new AbortController();
  const { signal } = stopping;
  const samples: Sample[] = [];
  const watching = (async () => {
    while (!signal.aborted) {
      const sample = await takeSample(scene);
      samples.push(sample);
      if (samples.length % TELL_EVERY === 1) history.note(inWords(sample));
      await wait(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  })();
  watching.catch(() => undefined);
  return {
    samples,
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}

function inWords({ published, unread, processes, connections }: Sample): string {
  const largest = Math.max(...processes.map(({ megabytes }) => megabytes));
  return `${published} published, ${unread} to be metered, ${connections} connections, largest process ${largest.toFixed(0)} MB`;
}
