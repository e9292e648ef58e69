import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { APPLICATION, OWNER, REGISTRY } from "../postgres/create-roles.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { fetchParts, type Parts } from "./fetch-parts.ts";
import { findJava } from "./find-java.ts";
import { type KafkaGuard, kafkaPart, type ProxiedListener } from "./kafka.ts";
import type { Part } from "./part.ts";
import { stopLeftover } from "./pid-file.ts";
import {
  type Logins,
  newLogins,
  type PostgresOptions,
  postgresPart,
  postgresUrl,
  superuserUrl,
} from "./postgres.ts";
import { registryPart, registryUrl } from "./registry.ts";
import { reservePort } from "./reserve-port.ts";

interface StackEnvironment {
  readonly DATABASE_URL: string;
  readonly KAFKA_BROKERS: string;
  /** Including the path of the Confluent-compatible API. */
  readonly SCHEMA_REGISTRY_URL: string;
}

interface StackParts {
  readonly postgres: Part;
  readonly kafka: Part;
  readonly registry: Part;
}

/** How services reach what only they may do; empty where nothing is guarded. */
interface ServicesEnvironment {
  readonly KAFKA_BROKERS?: string;
  readonly KAFKA_SASL_MECHANISM?: "plain";
  readonly KAFKA_SASL_USERNAME?: string;
  readonly KAFKA_SASL_PASSWORD?: string;
  readonly KAFKA_GUEST_PRINCIPAL?: string;
}

/** How set-up reaches what only it may do; empty where one role does everything. */
interface SetUpEnvironment {
  readonly DATABASE_OWNER_URL?: string;
}

export interface Stack {
  /** For everybody on this machine. */
  readonly env: StackEnvironment;
  /** For set-up and the services, over `env`. */
  readonly servicesEnv: ServicesEnvironment;
  /** For set-up alone, over both. */
  readonly setUpEnv: SetUpEnvironment;
  /** As whom tests create databases. */
  readonly superuserUrl: string;
  /** Stops gracefully and keeps the data. Servers not started here keep running. */
  stop(): Promise<void>;
}

/** A stack whose servers were started here. */
export interface LocalStack extends Stack {
  readonly parts: StackParts;
}

interface Ports {
  readonly postgres: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly kafkaServices: number;
  readonly registry: number;
}

export interface StackOptions {
  /** The folder of data, logs and process ids. */
  readonly dataDir: string;
  /** Starts with empty servers. */
  readonly fresh?: boolean;
  /** Lets only the services, who log in, write the billing topics. */
  readonly guarded?: boolean;
  readonly say: (line: string) => void;
  /** Preferred ports. */
  readonly ports?: Partial<Ports>;
  /** Options of Kafka's JVM, besides its own. */
  readonly kafkaJava?: readonly string[];
  /** Of the registry's. */
  readonly registryJava?: readonly string[];
  readonly kafkaListeners?: readonly ProxiedListener[];
  readonly postgres?: PostgresOptions;
}

const PROJECT = resolve(import.meta.dirname, "../..");
const PARTS_DIR = join(PROJECT, ".local", "parts");
const PREFERRED: Ports = {
  ...{ postgres: 5432, registry: 8081 },
  ...{ kafka: 9092, kafkaController: 9093, kafkaServices: 9094 },
};

/**
 * Starts Postgres, Kafka and a schema registry on 127.0.0.1, and resolves when all are ready. If it
 * fails, nothing is left running, and the error says what to do.
 */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const { say } = options;
  const dataDir = resolve(options.dataDir);
  const java = await findJava(process.env);
  const fetched = await fetchParts(PARTS_DIR, say);
  const reserved = new AsyncDisposableStack();
  reserved.defer(await lockDataDir(dataDir));
  try {
    await stopLeftovers(dataDir, say);
    if (options.fresh === true) await clear(dataDir);
    const ports = await choosePorts({ ...PREFERRED, ...options.ports }, reserved, say);
    const guard = options.guarded === true ? newGuard(ports.kafkaServices) : undefined;
    const logins = newLogins();
    const parts = await createParts({ java, dataDir, fetched, ports, guard, logins, options });
    await startParts(parts, say);
    return {
      env: {
        DATABASE_URL: postgresUrl(ports.postgres, logins, APPLICATION),
        KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
        SCHEMA_REGISTRY_URL: registryUrl(ports.registry),
      },
      servicesEnv: guard === undefined ? {} : servicesEnvironment(guard),
      setUpEnv: { DATABASE_OWNER_URL: postgresUrl(ports.postgres, logins, OWNER) },
      superuserUrl: superuserUrl(ports.postgres, logins),
      parts,
      async stop() {
        await stopParts(parts);
        await reserved.disposeAsync();
      },
    };
  } catch (error) {
    await reserved.disposeAsync();
    throw error;
  }
}

/** A password for one run. */
function newGuard(port: number): KafkaGuard {
  return { port, username: "drawdown", password: randomBytes(24).toString("base64url") };
}

function servicesEnvironment({ port, username, password }: KafkaGuard): ServicesEnvironment {
  return {
    KAFKA_BROKERS: `127.0.0.1:${port}`,
    KAFKA_SASL_MECHANISM: "plain",
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_GUEST_PRINCIPAL: "User:ANONYMOUS",
  };
}

async function createParts(given: {
  java: string;
  dataDir: string;
  fetched: Parts;
  ports: Ports;
  guard: KafkaGuard | undefined;
  logins: Logins;
  options: StackOptions;
}): Promise<StackParts> {
  const { java, dataDir, fetched, ports, guard, logins, options } = given;
  const { say, kafkaJava = [], registryJava = [], kafkaListeners } = options;
  const kafka = {
    jars: fetched.kafka,
    port: ports.kafka,
    controllerPort: ports.kafkaController,
    guard,
    proxiedListeners: kafkaListeners,
    javaOptions: kafkaJava,
  };
  const registry = {
    program: fetched.registry,
    port: ports.registry,
    postgresPort: ports.postgres,
    password: logins[REGISTRY],
    javaOptions: registryJava,
  };
  return {
    postgres: await postgresPart(dataDir, ports.postgres, logins, say, options.postgres),
    kafka: kafkaPart({ java, dataDir, ...kafka }, say),
    registry: registryPart({ java, dataDir, ...registry }, say),
  };
}

/** Starts Kafka and Postgres together, then the registry, which needs Postgres. */
async function startParts(parts: StackParts, say: (line: string) => void): Promise<void> {
  const start = async (part: Part) => {
    const began = performance.now();
    await part.start();
    say(`${part.name} is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  };
  const chains = await Promise.allSettled([
    start(parts.postgres).then(() => start(parts.registry)),
    start(parts.kafka),
  ]);
  const failed = chains.find((chain) => chain.status === "rejected");
  if (failed === undefined) return;
  await stopParts(parts);
  throw failed.reason;
}

async function stopParts(parts: StackParts): Promise<void> {
  await Promise.all([parts.registry.stop(), parts.kafka.stop()]);
  await parts.postgres.stop();
}

/** Stops servers of a run that was killed together with its guard. */
async function stopLeftovers(dataDir: string, say: (line: string) => void): Promise<void> {
  const folder = join(dataDir, "pids");
  for (const file of await readdir(folder).catch(() => [])) {
    const pid = await stopLeftover(join(folder, file), dataDir, "SIGINT");
    if (pid !== undefined) say(`Stopped process ${pid}, left by a run that was killed (${file})`);
  }
}

/** Deletes only what the stack has written, since the user chooses the folder. */
async function clear(dataDir: string): Promise<void> {
  for (const name of ["postgres", "postgres.partial", "kafka", "registry", "gateway"]) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

/** The ports stay reserved until `reserved` is disposed. */
async function choosePorts(
  preferred: Ports,
  reserved: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<Ports> {
  const choose = async (name: string, wanted: number) => {
    const { port, release } = await reservePort(wanted);
    reserved.defer(release);
    if (port !== wanted) say(`${name}: port ${wanted} is taken, using ${port}`);
    return port;
  };
  return {
    postgres: await choose("postgres", preferred.postgres),
    kafka: await choose("kafka", preferred.kafka),
    kafkaController: await choose("kafka controller", preferred.kafkaController),
    kafkaServices: await choose("kafka for services", preferred.kafkaServices),
    registry: await choose("registry", preferred.registry),
  };
}
