import autocannon from "autocannon";
import pg from "pg";
import { freePort } from "../../infra/local/free-port.ts";
import { insertApiKey } from "../../shared/ledger/api-keys.ts";
import { newKey } from "../../shared/ledger/api-secrets.ts";
import { eventually } from "../local-stack/eventually.ts";
import { type Run, startProcess, timed } from "./consume.ts";
import { type Figure, rateFigure } from "./figure.ts";
import { INGEST_BATCH, ingestBody } from "./ingest-load.ts";
import { type Bench, inTurn } from "./throughput.ts";

const API = "services/api/main.ts";
const PORT = 27_090;
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

async function overHttp({ servers, books, events }: Bench): Promise<Run> {
  const url = await books.make(1, 1);
  const key = await makeKey(url);
  const port = await freePort(PORT, new Set());
  const settings = { API_PORT: port.toString(), API_REQUESTS_PER_MINUTE: "10000000" };
  const child = startProcess(servers, { args: [API], url, settings });
  try {
    const origin = `http://127.0.0.1:${port}`;
    const isUp = () => fetch(`${origin}/openapi.json`).then(isOk, () => false);
    await eventually("the API serves", isUp);
    const taken = startLoad(origin, key, events / INGEST_BATCH);
    return await timed(servers, child, events, async () => taken() * INGEST_BATCH);
  } finally {
    await books.drop(url);
  }
}

function isOk({ ok }: Response): boolean {
  return ok;
}

/** Sends so many batches, over connections that each wait for their answer. Tells how many are taken. */
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

async function makeKey(url: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const { text: secret, keyId, hash } = newKey();
  const about = { name: "bench", createdBy: "bench", createdAt: Date.now() };
  await insertApiKey(pool, { keyId, scopes: ["ingest"], ...about }, hash);
  await pool.end();
  return secret;
}
