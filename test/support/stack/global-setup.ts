import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { commandLineOf } from "../../../infra/local/process-table.ts";
import { type Stack, startStack } from "../../../infra/local/stack.ts";
import { stackFromEnvironment } from "../../../infra/local/stack-from-environment.ts";
import { setUp } from "../../../infra/set-up.ts";
import { startContainers } from "./containers.ts";
import { ownPorts } from "./ports.ts";
import { dropTemplate, makeTemplate } from "./template.ts";

const LOCAL = resolve(import.meta.dirname, "../../../.local");

let sharers = 0;
let stop: Promise<() => Promise<void>> | undefined;

/**
 * Boots Postgres, Kafka and the schema registry once for the projects that need them, whose files
 * find them in process.env as the services do. README.md of test/ says how to choose other servers.
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
  const stack = await bootStack();
  Object.assign(process.env, stack.env);
  // Tests start hundreds of processes: what was compiled once starts in half the time.
  process.env["NODE_COMPILE_CACHE"] ??= join(LOCAL, "compile-cache");
  try {
    await setUp(process.env, () => undefined);
    await makeTemplate();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return async () => {
    await dropTemplate();
    await stack.stop();
  };
}

async function bootStack(): Promise<Stack> {
  if (process.env["TEST_STACK"] === "containers") return await startContainers();
  return stackFromEnvironment() ?? (await bootLocally());
}

async function bootLocally(): Promise<Stack> {
  const dataDir = join(LOCAL, `test-${process.pid}`);
  await removeLeftovers();
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const stack = await startStack({ dataDir, ports: ownPorts(0), say: () => undefined });
    return {
      env: stack.env,
      async stop() {
        await stack.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Data of test runs that were killed before they could remove it; their servers went with them. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(LOCAL).catch(() => [])) {
    const pid = /^test-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || (await commandLineOf(Number(pid))) !== undefined) continue;
    await rm(join(LOCAL, name), { recursive: true, force: true });
  }
}
