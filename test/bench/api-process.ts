import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import pg from "pg";
import { freePort } from "../../infra/local/free-port.ts";
import { API_SERVICE } from "../../infra/local/services.ts";
import type { Scope } from "../../shared/core/text/scopes.ts";
import { insertApiKey } from "../../shared/ledger/access/api-keys.ts";
import { newKey } from "../../shared/ledger/access/api-secrets.ts";
import { eventually } from "../support/eventually.ts";
import { startProcess } from "./consume.ts";
import type { Bench } from "./throughput.ts";

const PORT = 27_090;

/** A process that serves HTTP. */
export interface HttpProcess {
  readonly origin: string;
  readonly child: ChildProcess;
  end(): Promise<void>;
}

/** The API as `npm start` runs it, for the books at `url`, without a rate limit that a bench would reach. */
export function startApi(bench: Bench, url: string): Promise<HttpProcess> {
  return startHttp(bench, url, [...(API_SERVICE.nodeOptions ?? []), API_SERVICE.file]);
}

/** Starts Node on `args`, which serve HTTP on `API_PORT`, and waits until something answers. */
export async function startHttp(
  { servers }: Bench,
  url: string,
  args: readonly string[],
): Promise<HttpProcess> {
  const port = await freePort(PORT, new Set());
  const settings = { API_PORT: port.toString(), API_REQUESTS_PER_MINUTE: "100000000" };
  const child = startProcess(servers, { args, url, settings });
  const origin = `http://127.0.0.1:${port}`;
  const answers = () => fetch(`${origin}/openapi.json`).then(isAnswer, () => false);
  await eventually("it serves", answers);
  return {
    origin,
    child,
    async end() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

async function isAnswer(response: Response): Promise<boolean> {
  await response.arrayBuffer();
  return true;
}

/** A key of the API, as it is sent. */
export async function makeBenchKey(url: string, scope: Scope): Promise<string> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  const { text: secret, keyId, hash } = newKey();
  const about = { name: "bench", createdBy: "bench", createdAt: Date.now(), expiresAt: null };
  await insertApiKey(pool, { keyId, scopes: [scope], accountIds: null, ...about }, hash);
  await pool.end();
  return secret;
}
