import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { localApi } from "../local/api.ts";
import { localPayments } from "../local/payments.ts";
import {
  API_SERVICE,
  METERING_SERVICE,
  TOP_UP_SERVICE,
  WEBHOOKS_SERVICE,
} from "../local/services.ts";
import { startStack } from "../local/stack.ts";
import { stackFromEnvironment, USING_GIVEN } from "../local/stack-from-environment.ts";
import { type Running, stopOnSignals } from "../local/stop-signals.ts";
import { type Service, type Supervision, superviseServices } from "../local/supervise-services.ts";
import { setUp } from "../set-up.ts";
import { openCommands } from "./commands.ts";
import { type DemoFlags, HELP, readFlags } from "./flags.ts";
import { killMetering } from "./metering-process.ts";
import { howToLook, reportAsJson, reportAsText } from "./report.ts";
import { runDemo } from "./run-demo.ts";
import { showDashboard } from "./show-dashboard.ts";
import { showModels } from "./show-models.ts";
import { showMonth } from "./show-month.ts";
import { showOverspending } from "./show-overspending.ts";
import { showTopUps } from "./show-top-ups.ts";
import { receiveWebhooks } from "./show-webhook.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const DATA_DIR = join(PROJECT, ".local", "demo");
const LOGS = join(DATA_DIR, "logs");
/** Other ports than those of `npm start` and of the tests, which can run beside it. */
const PORTS = {
  postgres: 26_432,
  kafka: 26_092,
  kafkaController: 26_093,
  kafkaServices: 26_094,
  registry: 26_081,
};
const PAYMENT_PORTS = { gateway: 26_090, webhooks: 26_095 };
const API_PORT = 26_088;
/** Makes a payment visible while it is pending: the answer is slow, and no webhook comes before it. */
const SLOW_GATEWAY = {
  SIMULATED_GATEWAY_LATENCY_MS: "5000",
  SIMULATED_GATEWAY_WEBHOOK_URL: "",
};
const INTERRUPTED = 130;

const read = readFlags(process.argv.slice(2));
switch (read.kind) {
  case "run":
    process.exit(await main(read.flags));
    break;
  case "help":
    console.log(HELP);
    break;
  case "wrong":
    console.error(`${read.message}\n\n${HELP}`);
    process.exitCode = 2;
}

/** Runs the demo and stops all of it; returns the exit code. */
async function main(flags: DemoFlags): Promise<number> {
  const running: Running = {};
  const say = (line: string) => (flags.json ? console.error(line) : console.log(line));
  const { requested, stop } = stopOnSignals(running, say);
  const stopAsked = once(requested, "abort").then(() => INTERRUPTED);
  const playing = demo(flags, running, { say, signal: requested });
  try {
    const exitCode = await Promise.race([playing, stopAsked]);
    if (!flags.exit) await stopAsked;
    return exitCode;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    // An interrupted demo fails once its servers stop; let it remove its progress bar first.
    await Promise.race([playing.catch(() => undefined), wait(1_000)]);
    await stop();
  }
}

/** Returns the exit code: 0 when the books equal the file. */
async function demo(
  flags: DemoFlags,
  running: Running,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<number> {
  const given = stackFromEnvironment();
  if (given !== undefined) say(USING_GIVEN);
  const own = { dataDir: DATA_DIR, fresh: true, guarded: true, say, ports: PORTS };
  const stack = given ?? (await startStack(own));
  running.stack = stack;
  const env = { ...process.env, ...stack.env, ...stack.servicesEnv };
  await setUp({ ...env, ...stack.setUpEnv }, say);

  await mkdir(LOGS, { recursive: true });
  const prefix = given === undefined ? "demo" : `demo-${Date.now().toString(36)}`;
  const api = await localApi(env, { keyFile: join(DATA_DIR, "api-key"), port: API_PORT });
  running.beside = [supervise([API_SERVICE], "demo-api.log", { ...env, ...api.env }, say)];
  const report = await runDemo({
    env,
    say,
    signal,
    accounts: flags.accounts,
    speedUp: flags.speedUp,
    prefix,
    onAccounts: (accountId) => showDashboard(env, { accountId, api, say }),
    startMetering() {
      signal.throwIfAborted();
      // Metering alone of the services of `npm start`: others add credits that the file does not have.
      const log = `${prefix}-metering.log`;
      say(`Metering starts; its log is ${join(LOGS, log)}`);
      running.supervision = supervise([METERING_SERVICE], log, env, say);
    },
    killMetering: flags.kill ? () => killMetering(running.supervision) : null,
  });
  console.log(flags.json ? reportAsJson(report) : reportAsText(report));
  // Only on the demo's own servers: it charges accounts, and moves the clock ahead for all of them.
  if (given === undefined) {
    running.beside.push(await superviseTopUps(env, say));
    const local = { ...env, WEBHOOK_ALLOW_PRIVATE: "true" };
    running.beside.push(supervise([WEBHOOKS_SERVICE], "demo-webhooks.log", local, say));
    const receiver = await receiveWebhooks(local, say);
    await showTopUps(env, say);
    await receiver.show();
    receiver.close();
    await showModels(env, say);
    await showOverspending(env, api, say);
    await showMonth(env, Date.now(), say);
    say("\nThe proof: every event, entry, lot and balance, compared with the topics");
    await openCommands(env, say).type("reconcile");
  }
  if (!flags.exit) say(howToLook(stack.env, report.example));
  return report.differences.length === 0 ? 0 : 1;
}

/** The top-up service and the simulated gateway, which run once the books are compared. */
async function superviseTopUps(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Supervision> {
  const simulated = { ...env, PAYMENT_GATEWAY: "", NODE_ENV: "" };
  const dataDir = join(DATA_DIR, "gateway");
  const payments = await localPayments(simulated, { dataDir, ports: PAYMENT_PORTS });
  const services = [...payments.services, TOP_UP_SERVICE];
  const gatewayEnv = { ...simulated, ...payments.env, ...SLOW_GATEWAY };
  return supervise(services, "demo-payments.log", gatewayEnv, say);
}

/** Runs services with their output in a log; only their ends and restarts are shown. */
function supervise(
  services: readonly Service[],
  logName: string,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Supervision {
  const log = createWriteStream(join(LOGS, logName));
  const prefixes = services.map(({ name }) => `${name} | `);
  return superviseServices(services, {
    env,
    say(line) {
      log.write(`${line}\n`);
      if (!prefixes.some((prefix) => line.startsWith(prefix))) say(`  ${line}`);
    },
  });
}
