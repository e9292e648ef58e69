import { setTimeout as sleep } from "node:timers/promises";
import { makeBenchKey, startApi } from "./api-process.ts";
import { peakMegabytes } from "./cpu.ts";
import type { Figure } from "./figure.ts";
import { accountName } from "./load.ts";
import { openStreams } from "./streams.ts";
import type { Bench } from "./throughput.ts";

const STREAMS = 1_000;
const OPEN_FOR_MS = 20_000;

/** The peak memory of the API with many streams open, while each is kept alive at least once. */
export async function streamMemory(bench: Bench): Promise<Figure[]> {
  bench.say(`memory with ${STREAMS} streams`);
  const url = await bench.books.make(STREAMS, 1);
  const api = await startApi(bench, url);
  try {
    const key = await makeBenchKey(url, "read");
    const accounts = Array.from({ length: STREAMS }, (_, at) => accountName(at));
    const streams = await openStreams(api.origin, key, accounts, () => undefined);
    await sleep(OPEN_FOR_MS);
    const value = peakMegabytes(api.child.pid ?? 0);
    streams.close();
    const name = `memory of the API, ${STREAMS.toLocaleString("en")} open streams`;
    return [{ name, value, unit: "MB", target: { atMost: 300 } }];
  } finally {
    await api.end();
    await bench.books.drop(url);
  }
}
