import { once } from "node:events";
import { text } from "node:stream/consumers";
import autocannon from "autocannon";
import pg from "pg";
import { freePort } from "../../infra/local/free-port.ts";
import { newKey } from "../../services/api/access/secrets.ts";
import { insertApiKey } from "../../shared/ledger/api-keys.ts";
import { eventually } from "../local-stack/eventually.ts";
import { startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { INGEST_BATCH, ingestBody } from "./ingest-load.ts";
import { spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";

const API = "services/api/main.ts";
const PORT = 27_090;
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
      beside: { name: "client", value: spreadOf(rounds.map((round) => round.direct)).median },
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

async function overHttp({ servers, books }: Bench, seconds: number): Promise<number> {
  const url = await books.make(1, 1);
  const key = await makeKey(url);
  const port = await freePort(PORT, new Set());
  const settings = { API_PORT: port.toString(), API_REQUESTS_PER_MINUTE: "1000000" };
  const child = startProcess(servers, { args: [API], url, settings });
  try {
    const origin = `http://127.0.0.1:${port}`;
    const isUp = () =>
      fetch(`${origin}/openapi.json`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually("the API serves", isUp);
    return await load(origin, key, seconds);
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await books.drop(url);
  }
}

async function load(origin: string, key: string, seconds: number): Promise<number> {
  const now = Date.now();
  const options = {
    url: `${origin}/v1/events`,
    method: "POST" as const,
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/cloudevents-batch+json",
    },
    requests: Array.from({ length: BODIES }, (_, at) => ({
      body: ingestBody(at * INGEST_BATCH, now),
    })),
    connections: CONNECTIONS,
  };
  await autocannon({ ...options, duration: WARM_UP_SECONDS });
  const { requests, errors, non2xx, duration } = await autocannon({
    ...options,
    duration: seconds,
  });
  if (errors + non2xx > 0) throw new Error(`${errors + non2xx} requests were not taken`);
  return (requests.total * INGEST_BATCH) / duration;
}

async function makeKey(url: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const { text: secret, keyId, hash } = newKey();
  const about = { name: "bench", createdBy: "bench", createdAt: Date.now() };
  await insertApiKey(pool, { keyId, scopes: ["ingest"], ...about }, hash);
  await pool.end();
  return secret;
}
