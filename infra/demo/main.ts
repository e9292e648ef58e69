import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { localApi } from "../local/api.ts";
import { localPayments } from "../local/payments.ts";
import { API_SERVICE, METERING_SERVICE, TOP_UP_SERVICE } from "../local/services.ts";
import { startStack } from "../local/stack.ts";
import { stackFromEnvironment } from "../local/stack-from-environment.ts";
import { type Running, stopOnSignals } from "../local/stop-signals.ts";
import { type Service, type Supervision, superviseServices } from "../local/supervise-services.ts";
import { setUp } from "../set-up.ts";
import { type DemoFlags, HELP, readFlags } from "./flags.ts";
import { howToLook } from "./how-to-look.ts";
import { killMetering } from "./metering-process.ts";
import { reportAsJson, reportAsText } from "./report.ts";
import { runDemo } from "./run-demo.ts";
import { showDashboard } from "./show-dashboard.ts";
import { showMonth } from "./show-month.ts";
import { showProof } from "./show-proof.ts";
import { showTopUps } from "./show-top-ups.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const DATA_DIR = join(PROJECT, ".local", "demo");
/** Away from those of `npm start` and of the tests, so that they can run beside it. */
const PORTS = { postgres: 26_432, kafka: 26_092, kafkaController: 26_093, registry: 26_081 };
const PAYMENT_PORTS = { gateway: 26_090, webhooks: 26_095 };
const API_PORT = 26_088;
/** So that a payment can be seen pending: its answer takes a while, and no webhook tells it before. */
const UNHURRIED_GATEWAY = {
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

/** Runs the demo and stops all of it; answers with the exit code. */
async function main(flags: DemoFlags): Promise<number> {
  const running: Running = {};
  const say = (line: string) => (flags.json ? console.error(line) : console.log(line));
  const { asked, stop } = stopOnSignals(running, say);
  const stopAsked = once(asked, "abort").then(() => INTERRUPTED);
  const playing = demo(flags, running, { say, signal: asked });
  try {
    const exitCode = await Promise.race([playing, stopAsked]);
    if (!flags.exit) await stopAsked;
    return exitCode;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    // One that is broken off fails on what is gone; first it takes its bar off the screen.
    await Promise.race([playing.catch(() => undefined), wait(1_000)]);
    await stop();
  }
}

/** Answers with the exit code: 0 when the books equal the file. */
async function demo(
  flags: DemoFlags,
  running: Running,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<number> {
  const given = stackFromEnvironment();
  const stack = given ?? (await startStack({ dataDir: DATA_DIR, fresh: true, say, ports: PORTS }));
  running.stack = stack;
  const env = { ...process.env, ...stack.env };
  await setUp(env, say);

  await mkdir(join(DATA_DIR, "logs"), { recursive: true });
  const prefix = given === undefined ? "demo" : `demo-${Date.now().toString(36)}`;
  const log = join(DATA_DIR, "logs", `${prefix}-metering.log`);
  const api = await localApi(env, { keyFile: join(DATA_DIR, "api-key"), port: API_PORT });
  running.beside = [superviseApi({ ...env, ...api.env }, say)];
  const supervise = await meteringSupervisor(env, log, say);
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
      say(`Metering starts; what it says is in ${log}`);
      running.supervision = supervise();
    },
    killMetering: flags.kill ? () => killMetering(running.supervision) : null,
  });
  console.log(flags.json ? reportAsJson(report) : reportAsText(report));
  // Only on books of its own: it charges accounts, and moves the clock ahead for all.
  if (given === undefined) {
    running.beside.push(await superviseTopUps(env, say));
    await showTopUps(env, say);
    await showMonth(env, Date.now(), say);
    await showProof(env, say);
  }
  if (!flags.exit) say(howToLook(stack, report.example));
  return report.differences.length === 0 ? 0 : 1;
}

function superviseApi(env: NodeJS.ProcessEnv, say: (line: string) => void): Supervision {
  const services = [API_SERVICE];
  const log = createWriteStream(join(DATA_DIR, "logs", "demo-api.log"));
  return superviseServices(services, { env, say: sayOrLog(services, log, say) });
}

/** The top-up service and the simulated gateway, from when the books were found to equal the file. */
async function superviseTopUps(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Supervision> {
  const simulated = { ...env, PAYMENT_GATEWAY: "", NODE_ENV: "" };
  const dataDir = join(DATA_DIR, "gateway");
  const payments = await localPayments(simulated, { dataDir, ports: PAYMENT_PORTS });
  const services = [...payments.services, TOP_UP_SERVICE];
  const log = createWriteStream(join(DATA_DIR, "logs", "demo-payments.log"));
  return superviseServices(services, {
    env: { ...simulated, ...payments.env, ...UNHURRIED_GATEWAY },
    say: sayOrLog(services, log, say),
  });
}

/** What services write goes to a log; only what befalls them is said. */
function sayOrLog(
  services: readonly Service[],
  log: WriteStream,
  say: (line: string) => void,
): (line: string) => void {
  const prefixes = services.map(({ name }) => `${name} | `);
  return (line) => {
    log.write(`${line}\n`);
    if (!prefixes.some((prefix) => line.startsWith(prefix))) say(`  ${line}`);
  };
}

/**
 * Metering alone of what `npm start` runs: a service that adds credits would do what the file says
 * nothing of. What it writes goes to a log; only what befalls it is said.
 */
async function meteringSupervisor(
  env: NodeJS.ProcessEnv,
  logFile: string,
  say: (line: string) => void,
): Promise<() => Supervision> {
  await mkdir(dirname(logFile), { recursive: true });
  const services = [METERING_SERVICE];
  const options = { env, say: sayOrLog(services, createWriteStream(logFile), say) };
  return () => superviseServices(services, options);
}
