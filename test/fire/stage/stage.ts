import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Part } from "../../../infra/local/part.ts";
import { type PortReservation, reservePort } from "../../../infra/local/reserve-port.ts";
import {
  API_SERVICE,
  METERING_SERVICE,
  SCHEDULER_SERVICE,
  SIMULATED_GATEWAY,
  TOP_UP_SERVICE,
} from "../../../infra/local/services.ts";
import { type LocalStack, startStack } from "../../../infra/local/stack.ts";
import type { Service } from "../../../infra/local/supervise-services.ts";
import { setUp } from "../../../infra/set-up.ts";
import { bundleServices } from "../../support/stack/bundle-services.ts";
import { quickJava } from "../../support/stack/quick-java.ts";
import { again } from "../again.ts";
import { openClock } from "./clock.ts";
import { type Disk, openDisk } from "./disk.ts";
import { gatewayPart } from "./gateway.ts";
import { keepRecords } from "./keep-records.ts";
import { type Mail, openMail } from "./mail.ts";
import { createMember, type Member } from "./member.ts";
import { closeWays, openWays, type Places, type Ways } from "./ways.ts";

/** Servers, the simulated gateway, and the processes of each service behind ways of their own. */
export interface Stage {
  readonly stack: LocalStack;
  /** For whoever stands beside the faults: the servers without proxies. */
  readonly env: Readonly<Record<string, string>>;
  readonly superuserUrl: string;
  /** That of Postgres; null where this machine lets nobody mount one. */
  readonly disk: Disk | null;
  readonly gateway: Part;
  readonly gatewayUrl: string;
  readonly mail: Mail;
  /** Those that are meant to run and the spare ones. */
  readonly members: readonly Member[];
  /** The members of a service that are meant to run. */
  running(service: string): readonly Member[];
  /** Where servers, services and the load keep what they write. */
  readonly folder: string;
  /** What the clocks of the services and of the gateway show. */
  now(): number;
  /** Stops all of these, and starts them again at another time. Nothing is under way meanwhile. */
  travel(to: number): Promise<void>;
  close(): Promise<void>;
}

/** How many processes of each service run, and how many more may join. */
const TROUPE: readonly (readonly [service: Service, count: number, spare: number])[] = [
  [METERING_SERVICE, 2, 1],
  [TOP_UP_SERVICE, 2, 1],
  [SCHEDULER_SERVICE, 2, 0],
  [API_SERVICE, 2, 0],
];
/** The names of the processes that run from the beginning, by service. */
export const TROUPE_NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  TROUPE.map(([{ name }, count]) => [
    name,
    Array.from({ length: count }, (_, index) => `${name}-${index + 1}`),
  ]),
);
/** Below those that Linux gives to outgoing connections, which could take one before its server starts. */
const PORTS = { first: 31_000, listeners: 31_100, services: 31_200, health: 31_300 };
const PROJECT = resolve(import.meta.dirname, "../../..");
/** So that a disk that is full soon has no room for more. */
const MOST_WAL = "256MB";
const WEBHOOK_SECRET = "whsec_fire";
const SETTINGS = {
  SCHEDULER_CRON: "*/2 * * * * *",
  API_REQUESTS_PER_MINUTE: "1000000",
  PAYMENT_ATTEMPTS_PER_HOUR: "1000000",
  // As the limits of the accounts themselves: a long run uses up more than a day's usual top-ups.
  TOP_UP_CEILINGS: "USD 1000/1000000/1000000",
  LOG_LEVEL: "info",
};

interface StageOptions {
  readonly note: (line: string) => void;
  /** Of all services, over those of the stage. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the clocks of services and gateway show at first, in milliseconds. */
  readonly startsAt: number;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "drawdown-fire-"));
  await chmod(folder, 0o711); // Postgres may run as a user of its own
  const held = new AsyncDisposableStack();
  held.defer(() => rm(folder, { recursive: true, force: true }));
  try {
    return await open(folder, held, options);
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

async function open(
  folder: string,
  held: AsyncDisposableStack,
  { note, settings, startsAt }: StageOptions,
): Promise<Stage> {
  const logDir = join(folder, "services");
  await mkdir(logDir);
  const reserve = async (preferred: number): Promise<number> => {
    const reserved: PortReservation = await reservePort(preferred);
    held.defer(reserved.release);
    return reserved.port;
  };

  const clock = await openClock(join(folder, "clock"), startsAt);
  const places: Places = { postgres: 0, kafka: 0, registry: 0, gateway: 0 };
  const parts: {
    name: string;
    service: Service;
    isSpare: boolean;
    ways: Ways;
    listener: number;
  }[] = [];
  for (const [service, count, spare] of TROUPE) {
    for (let index = 1; index <= count + spare; index += 1) {
      const listener = await reserve(PORTS.listeners);
      const ways = await openWays(() => places, listener);
      held.defer(() => closeWays(ways));
      const name = `${service.name}-${index}`;
      parts.push({ name, service, isSpare: index > count, ways, listener });
    }
  }
  const servers = join(folder, "servers");
  const mounted = await openDisk(join(folder, "disk.ext4"), join(servers, "disk"));
  const disk = typeof mounted === "string" ? null : mounted;
  if (disk === null) note(`Postgres has no disk of its own: ${mounted}`);
  else held.defer(() => disk.close());
  const stack = await startStack({
    dataDir: servers,
    ports: portsFrom(PORTS.first),
    ...quickJava(),
    kafkaListeners: parts.map(({ listener, ways }) => ({
      port: listener,
      advertisedPort: ways.kafka.port,
    })),
    postgres: { settings: { max_wal_size: MOST_WAL }, ...(disk && { disk: disk.folder }) },
    say: note,
  });
  held.defer(() => stack.stop());
  // On a busy machine the registry may take longer to answer than set-up waits.
  await again(() => setUp({ ...process.env, ...stack.env, ...stack.setUpEnv }, () => undefined));
  await keepRecords(stack.env.KAFKA_BROKERS);
  const bundles = await bundle(held);
  const webhookPorts: number[] = [];
  const mail = await openMail(() => webhookPorts);
  held.defer(() => mail.close());
  const gatewayPort = await reserve(PORTS.services);
  const gateway = gatewayPart({
    file: join(bundles, `${SIMULATED_GATEWAY.name}.mjs`),
    dataDir: join(folder, "gateway"),
    port: gatewayPort,
    webhooks: { url: `http://127.0.0.1:${mail.port}/webhooks/payments`, secret: WEBHOOK_SECRET },
    env: { ...clock.env, NODE_ENV: "test" },
    note,
  });
  await gateway.start();
  held.defer(() => gateway.stop());
  Object.assign(places, {
    postgres: portOf(stack.env.DATABASE_URL),
    registry: portOf(stack.env.SCHEMA_REGISTRY_URL),
    gateway: gatewayPort,
  });

  const members: Member[] = [];
  for (const { name, service, isSpare, ways } of parts) {
    const port = await reserve(PORTS.services);
    const healthPort = await reserve(PORTS.health);
    if (service === TOP_UP_SERVICE && !isSpare) webhookPorts.push(port);
    const member = createMember({
      ...{ name, ways, healthPort, logDir, note },
      service: { ...service, file: join(bundles, `${service.name}.mjs`) },
      port: service === API_SERVICE ? port : null,
      env: {
        ...inherited(),
        ...clock.env,
        ...throughWays(stack, ways),
        ...SETTINGS,
        ...settings,
        API_PORT: String(port),
        HEALTH_PORT: String(healthPort),
        WEBHOOK_PORT: String(port),
        PAYMENT_GATEWAY: "simulated",
        SIMULATED_GATEWAY_URL: `http://127.0.0.1:${ways.gateway.port}`,
        SIMULATED_GATEWAY_WEBHOOK_SECRET: WEBHOOK_SECRET,
      },
    });
    held.defer(() => member.kill());
    members.push(member);
    if (!isSpare) member.join();
  }
  return {
    ...{ stack, disk, gateway, mail, members, folder },
    now: clock.now,
    async travel(to) {
      const travellers = members.filter(({ isIn }) => isIn);
      await Promise.all(travellers.map((member) => member.leave()));
      await gateway.stop();
      await clock.moveTo(to);
      await gateway.start();
      for (const member of travellers) member.join();
    },
    env: { ...stack.env, ...clock.env, DATABASE_URL: stack.env.DATABASE_URL },
    superuserUrl: stack.superuserUrl,
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    running: (service) => members.filter((member) => member.isIn && member.service === service),
    close: () => held.disposeAsync(),
  };
}

/** What a test run has bundled already, or a bundle of its own. It must lie beside node_modules. */
async function bundle(held: AsyncDisposableStack): Promise<string> {
  const given = process.env["SERVICE_BUNDLES"];
  if (given !== undefined) return given;
  const folder = join(PROJECT, ".local", `fire-${process.pid}`);
  held.defer(() => rm(folder, { recursive: true, force: true }));
  await bundleServices(folder);
  return folder;
}

/** Own ports, so that a stack of `npm start` may run beside it. */
function portsFrom(first: number) {
  const kafka = { kafka: first + 10, kafkaController: first + 20, kafkaServices: first + 30 };
  return { ...kafka, postgres: first, registry: first + 40 };
}

function inherited(): Record<string, string | undefined> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE, TZ: "UTC", NODE_ENV: "test" };
}

function throughWays({ env }: LocalStack, ways: Ways): Record<string, string> {
  return {
    DATABASE_URL: withPort(env.DATABASE_URL, ways.postgres.port),
    KAFKA_BROKERS: `127.0.0.1:${ways.kafka.port}`,
    SCHEMA_REGISTRY_URL: withPort(env.SCHEMA_REGISTRY_URL, ways.registry.port),
  };
}

function withPort(url: string, port: number): string {
  return Object.assign(new URL(url), { port: String(port) }).href;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
