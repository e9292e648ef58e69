import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { build } from "vite";
import { findApiKey } from "../../shared/ledger/access/api-keys.ts";
import { readSecret } from "../../shared/ledger/access/api-secrets.ts";
import { makeApiKey } from "../../shared/ledger/access/make-access.ts";
import { type Database, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { reservePort } from "./reserve-port.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const PREFERRED_PORT = 8088;

/** The address of the local API, and an admin key. */
export interface LocalApi {
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  readonly key: string;
}

/**
 * Builds the dashboard, and finds a port and an admin key for the API. The key is created at the first
 * start and kept in `keyFile`, which only its owner can read.
 */
export async function localApi(
  env: NodeJS.ProcessEnv,
  { keyFile, port = PREFERRED_PORT }: { readonly keyFile: string; readonly port?: number },
): Promise<LocalApi> {
  await build({ root: resolve(PROJECT, "services/dashboard"), logLevel: "warn" });
  const reserved = (await reservePort(Number(env["API_PORT"] ?? port))).port;
  const pool = { name: "drawdown-start", connections: 1 };
  const database = openDatabase(readSettings(env).database, pool);
  try {
    const key = (await existingKey(database, keyFile)) ?? (await newLocalKey(database, keyFile));
    const url = `http://127.0.0.1:${reserved}`;
    return { env: { API_PORT: String(reserved) }, url, key };
  } finally {
    await database.end();
  }
}

/** The key of an earlier start, if it is still valid. */
async function existingKey(database: Database, keyFile: string): Promise<string | null> {
  const text = await readFile(keyFile, "utf8").catch(() => "");
  const secret = readSecret(text.trim());
  if (secret?.kind !== "key") return null;
  const found = await findApiKey(database, secret.keyId);
  return found === null || found.key.revokedAt !== null ? null : text.trim();
}

async function newLocalKey(database: Database, keyFile: string): Promise<string> {
  const key = { name: "local", scopes: ["admin"], createdBy: "npm start" } as const;
  const { text } = await makeApiKey(database, { ...key, now: Date.now() });
  await mkdir(dirname(keyFile), { recursive: true });
  await writeFile(keyFile, `${text}\n`, { mode: 0o600 });
  return text;
}
