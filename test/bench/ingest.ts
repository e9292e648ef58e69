import { once } from "node:events";
import { text } from "node:stream/consumers";
import autocannon from "autocannon";
import { startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { INGEST_BATCH, ingestBody } from "./ingest-load.ts";
import { spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";

const CONNECTIONS = 32;
const BODIES = 200;
const WARM_UP_SECONDS = 2;

/** Events a second over HTTP, in batches of 100, beside the usage client's own. */
export async function ingest(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: { http: number; direct: number }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`ingest: round ${round + 1} of ${bench.rounds}`);
    rounds.push({ direct: await direct(bench, seconds), http: await overHttp(bench, seconds) });
  }
  return [
    {
      name: `ingest over HTTP, batches of ${INGEST_BATCH}`,
      value: spreadOf(rounds.map(({ http }) => http)).median,
      unit: "events/s",
      beside: {
        name: "client",
        value: spreadOf(rounds.map((round) => round.direct)).median,
      },
      ratio: spreadOf(rounds.map((round) => round.http / round.direct)),
      target: { atLeast: 0.5 },
    },
  ];
}

async function direct({ servers }: Bench, seconds: number): Promise<number> {
  const args = ["test/bench/bare-publisher.ts", seconds.toString()];
  const child = startProcess(servers, { args, stdout: "pipe" });
  const rate = Number(child.stdout === null ? "" : await text(child.stdout));
  if (!(rate > 0)) throw new Error("the client published nothing");
  return rate;
}

async function overHttp({ servers }: Bench, seconds: number): Promise<number> {
  const child = startProcess(servers, { args: ["test/bench/ingest-server.ts"], stdout: "pipe" });
  try {
    if (child.stdout === null) throw new Error("the server cannot say where it listens");
    const [origin] = await once(child.stdout, "data");
    const requests = Array.from({ length: BODIES }, (_, at) => ({
      body: ingestBody(at * INGEST_BATCH, Date.now()),
    }));
    const load = {
      url: `${String(origin).trim()}/v1/events`,
      method: "POST" as const,
      headers: { "content-type": "application/cloudevents-batch+json" },
      requests,
      connections: CONNECTIONS,
    };
    await autocannon({ ...load, duration: WARM_UP_SECONDS });
    const {
      requests: answered,
      errors,
      non2xx,
      duration,
    } = await autocannon({
      ...load,
      duration: seconds,
    });
    if (errors + non2xx > 0) throw new Error(`${errors + non2xx} requests were not taken`);
    return (answered.total * INGEST_BATCH) / duration;
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}
