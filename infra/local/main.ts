import { once } from "node:events";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setUp } from "../set-up.ts";
import { type LocalApi, localApi } from "./api.ts";
import { localHealth } from "./health.ts";
import { localPayments } from "./payments.ts";
import { secondTerminal, writeServers } from "./second-terminal.ts";
import { SERVICES } from "./services.ts";
import { type Stack, startStack } from "./stack.ts";
import { SERVERS_FILE, stackFromEnvironment, USING_GIVEN } from "./stack-from-environment.ts";
import { type Running, stopOnSignals } from "./stop-signals.ts";
import { type Service, superviseServices } from "./supervise-services.ts";

const HELP = `npm start [-- --fresh]

Starts Postgres, Kafka and a schema registry on this machine, sets them up and runs the services.
Ctrl-C stops everything; the data is kept for the next start.

  --fresh   start with empty servers: deletes the data of earlier starts
  --help    show this help

Payments go to the simulated gateway, which takes no money, unless PAYMENT_GATEWAY is set.

With DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL set, it uses those servers and starts none.`;

const PROJECT = resolve(import.meta.dirname, "../..");
const DATA_DIR = join(PROJECT, ".local", "data");

/** Receivers of webhooks are tried on this machine. */
const LOCAL = { WEBHOOK_ALLOW_PRIVATE: "true" };

const say = (line: string) => console.log(line);

await main();

async function main(): Promise<void> {
  const flags = readFlags();
  const running: Running = {};
  const { requested, stop } = stopOnSignals(running, say);
  const stopRequested = once(requested, "abort");
  const starting = start(flags, running, requested);
  try {
    await Promise.race([starting, stopRequested]);
    starting.catch(() => undefined); // an interrupted start fails on stopped servers
    await stopRequested;
    await stop();
    say("Everything has stopped.");
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    await stop();
    process.exit(1);
  }
}

async function start(
  flags: { fresh: boolean },
  running: Running,
  stopRequested: AbortSignal,
): Promise<void> {
  const given = stackFromEnvironment();
  if (given !== undefined && flags.fresh) {
    throw new Error(
      "--fresh deletes only the data of servers that npm start runs itself. Omit it, or unset DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL.",
    );
  }
  if (given !== undefined) say(USING_GIVEN);
  const local = { dataDir: DATA_DIR, fresh: flags.fresh, guarded: true, say };
  const stack = given ?? (await startStack(local));
  running.stack = stack;
  const env = { ...LOCAL, ...process.env, ...stack.env, ...stack.servicesEnv };
  await setUp({ ...env, ...stack.setUpEnv }, say);
  if (stopRequested.aborted) return;
  const payments = await localPayments(env, { dataDir: join(DATA_DIR, "gateway") });
  const api = await localApi(env, { keyFile: join(DATA_DIR, "api-key") });
  const health = await localHealth(SERVICES);
  const services = [...payments.services, ...health.services];
  if (given === undefined) {
    const webhooks = { WEBHOOK_ALLOW_PRIVATE: env.WEBHOOK_ALLOW_PRIVATE };
    await writeServers(join(PROJECT, SERVERS_FILE), { ...stack.env, ...health.env, ...webhooks });
  }
  showServers(stack, services, given === undefined);
  showApi(api, secondTerminal(given === undefined ? SERVERS_FILE : health.env, api.url));
  running.supervision = superviseServices(services, {
    env: { ...env, DATABASE_OWNER_URL: undefined, ...payments.env, ...api.env },
    say,
  });
}

function showServers(stack: Stack, services: readonly Service[], isLocal: boolean): void {
  const database = new URL(stack.env.DATABASE_URL);
  database.password = "";
  const rows: [string, string][] = [
    ["Postgres", database.href],
    ["Kafka", stack.env.KAFKA_BROKERS],
    ["Schema registry", stack.env.SCHEMA_REGISTRY_URL],
    ["Services", services.map((service) => service.name).join(", ")],
  ];
  if (isLocal) rows.push(["Logs and data", DATA_DIR]);
  say(["", ...rows.map(([what, where]) => `  ${what.padEnd(16)} ${where}`)].join("\n"));
  say("\n  Ctrl-C stops everything.\n");
}

function showApi({ url, key }: LocalApi, inAnother: readonly string[]): void {
  const rows = [
    ["API", `${url}/docs`],
    ["Operators", `${url}/dashboard/#operators`],
    ["Admin key", key],
  ] as const;
  say(rows.map(([what, where]) => `  ${what.padEnd(16)} ${where}`).join("\n"));
  const lines = inAnother.map((line) => `    ${line}`);
  say(`\n  In another terminal:\n\n${lines.join("\n")}\n`);
}

function readFlags(): { fresh: boolean } {
  try {
    const { values } = parseArgs({
      options: { fresh: { type: "boolean" }, help: { type: "boolean" } },
    });
    if (values.help !== true) return { fresh: values.fresh === true };
    say(HELP);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}
