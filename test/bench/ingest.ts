import autocannon from "autocannon";
import { makeBenchKey, startApi } from "./api-process.ts";
import { type Run, startProcess, timed } from "./consume.ts";
import { type Figure, rateFigure } from "./figure.ts";
import { INGEST_BATCH, ingestBody } from "./ingest-load.ts";
import { type Bench, inTurn } from "./throughput.ts";

const CONNECTIONS = 32;
const BODIES = 200;

/** Events a second over HTTP, in batches of 100, beside the usage client's own. */
export async function ingest(bench: Bench): Promise<Figure[]> {
  const pairs = await inTurn(bench, "ingest", {
    floor: () => direct(bench),
    subject: () => overHttp(bench),
  });
  const name = `ingest over HTTP, batches of ${INGEST_BATCH}`;
  return [rateFigure(name, pairs, "client", { atLeast: 0.5 })];
}

async function direct({ servers, events }: Bench): Promise<Run> {
  const args = ["test/bench/bare-publisher.ts", events.toString()];
  const child = startProcess(servers, { args, stdout: "pipe" });
  let acknowledged = 0;
  child.stdout?.on("data", (lines: Buffer) => {
    acknowledged = Number(lines.toString().trim().split("\n").at(-1));
  });
  return timed(servers, child, events, async () => acknowledged);
}

async function overHttp(bench: Bench): Promise<Run> {
  const { servers, books, events } = bench;
  const url = await books.make(1, 1);
  const key = await makeBenchKey(url, "ingest");
  try {
    const { origin, child } = await startApi(bench, url);
    const taken = startLoad(origin, key, events / INGEST_BATCH);
    return await timed(servers, child, events, async () => taken() * INGEST_BATCH);
  } finally {
    await books.drop(url);
  }
}

/** Sends batches over connections that each wait for their answer. Reports the number accepted. */
function startLoad(origin: string, key: string, batches: number): () => number {
  const now = Date.now();
  const options: autocannon.Options = {
    url: `${origin}/v1/events`,
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/cloudevents-batch+json",
    },
    requests: Array.from({ length: BODIES }, (_, at) => ({
      body: ingestBody(at * INGEST_BATCH, now),
    })),
    connections: CONNECTIONS,
    amount: batches,
  };
  let taken = 0;
  let refused = "";
  const load = autocannon(options, (error: unknown) => {
    if (error !== null && error !== undefined) refused = String(error);
  });
  load.on("response", (_, status) => {
    if (status === 202) taken += 1;
    else refused = `a batch was answered with ${status}`;
  });
  return () => {
    if (refused !== "") throw new Error(refused);
    return taken;
  };
}
