import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Stack, startStack } from "../../../infra/local/stack.ts";
import { stackFromEnvironment } from "../../../infra/local/stack-from-environment.ts";
import { setUp } from "../../../infra/set-up.ts";
import { BROKERS, startBroker, WORKERS } from "./brokers.ts";
import { bundleServices } from "./bundle-services.ts";
import { fillCompileCache } from "./compile-cache.ts";
import { startContainers } from "./containers.ts";
import { dataFolder } from "./data-folder.ts";
import { ownPorts } from "./ports.ts";
import { makeSocketFolder } from "./postgres-socket.ts";
import { archiveClasses, quickJava } from "./quick-java.ts";
import { dropTemplate, makeTemplate, SUPERUSER } from "./template.ts";

const LOCAL = resolve(import.meta.dirname, "../../../.local");

let sharers = 0;
let stop: Promise<() => Promise<void>> | undefined;

/**
 * Boots Postgres, Kafka and the schema registry once for the projects that need them; their files find
 * them in process.env as the services do. test/README.md describes how to use other servers.
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  sharers += 1;
  stop ??= start();
  const stopAll = await stop;
  return async () => {
    sharers -= 1;
    if (sharers === 0) await stopAll();
  };
}

async function start(): Promise<() => Promise<void>> {
  const compileCache = process.env["NODE_COMPILE_CACHE"] ?? join(LOCAL, "compile-cache");
  process.env["NODE_COMPILE_CACHE"] = compileCache;
  // Servers mostly wait for each other as they start.
  const compiled = Promise.all([
    bundleServices(join(LOCAL, "bundles")),
    fillCompileCache(compileCache),
  ]);
  compiled.catch(() => undefined); // awaited below, once there are servers to stop
  const stack = await bootStack();
  Object.assign(process.env, stack.env);
  process.env[SUPERUSER] = stack.superuserUrl;
  process.env[BROKERS] = stack.brokers.join(" ");
  try {
    await Promise.all([compiled, setUpServers(stack)]);
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return async () => {
    await dropTemplate();
    await stack.stop();
  };
}

async function setUpServers({ brokers, setUpEnv }: TestStack): Promise<void> {
  for (const broker of brokers) {
    await setUp({ ...process.env, ...setUpEnv, KAFKA_BROKERS: broker }, () => undefined);
  }
  await makeTemplate(setUpEnv.DATABASE_OWNER_URL);
}

/** With a broker per worker, or a shared one. */
interface TestStack extends Stack {
  readonly brokers: readonly string[];
}

async function bootStack(): Promise<TestStack> {
  const given =
    process.env["TEST_STACK"] === "containers" ? await startContainers() : stackFromEnvironment();
  return given === undefined ? await bootLocally() : withOneBroker(given);
}

function withOneBroker(stack: Stack): TestStack {
  return { ...stack, brokers: [stack.env.KAFKA_BROKERS] };
}

async function bootLocally(): Promise<TestStack> {
  const dataDir = await dataFolder();
  const held = new AsyncDisposableStack();
  held.defer(() => rm(dataDir, { recursive: true, force: true }));
  const sockets = await makeSocketFolder();
  held.defer(() => rm(sockets, { recursive: true, force: true }));
  try {
    await archiveClasses(join(dataDir, "archive"));
    const stack = await startStack({
      dataDir,
      ports: ownPorts(0),
      say: () => undefined,
      ...quickJava(),
      // Test data must survive a crash of Postgres, but not one of the machine. Each worker may run five services.
      postgres: {
        settings: { fsync: "off", max_connections: "300", unix_socket_directories: sockets },
      },
    });
    held.defer(() => stack.stop());
    const more = await Promise.all(
      Array.from({ length: namesFiles() ? 0 : WORKERS - 1 }, async (_, index) => {
        const broker = await startBroker(join(dataDir, `broker-${index + 2}`), ownPorts(0).brokers);
        held.defer(() => broker.stop());
        return broker.address;
      }),
    );
    const brokers = [stack.env.KAFKA_BROKERS, ...more];
    return { ...stack, brokers, stop: () => held.disposeAsync() };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

/** A run of a few files boots faster with one shared broker. */
function namesFiles(): boolean {
  return process.argv.slice(2).some((word) => /^test\b/.test(word));
}
