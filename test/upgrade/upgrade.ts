import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import kafkajs, { type Admin } from "kafkajs";
import pg from "pg";
import {
  API_SERVICE,
  METERING_SERVICE,
  SCHEDULER_SERVICE,
  SERVICES,
  TOP_UP_SERVICE,
} from "../../infra/local/services.ts";
import { startStack } from "../../infra/local/stack.ts";
import type { Service } from "../../infra/local/supervise-services.ts";
import { setUp } from "../../infra/set-up.ts";
import { startSimulatedGateway } from "../../infra/simulated-gateway/start-gateway.ts";
import { drain } from "../fire/load/drain.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { type ServiceProcess, startService } from "../support/processes/service-process.ts";
import { ownPorts } from "../support/stack/ports.ts";
import { quickJava } from "../support/stack/quick-java.ts";
import { type Compared, compare } from "./compare.ts";
import { openLoad } from "./load.ts";
import { type Release, runOf, serviceOf, THIS, usageSchemaOf } from "./release.ts";

const CATALOGUE = join(import.meta.dirname, "catalogue.yaml");
const METER = "upgrade.calls";
const SECRET = "whsec_upgrade";
const USING = Array.from({ length: 6 }, (_, index) => `using-${index}`);
const BUYING = Array.from({ length: 4 }, (_, index) => `buying-${index}`);
const PLANNED = ["planned"];
/** Kafka waits for a member that has gone without a word before it shares partitions anew: up to a minute. */
const WITHIN_MS = 120_000;
/** What says that a service is at work. */
const AT_WORK: ReadonlyMap<Service, RegExp> = new Map([
  [METERING_SERVICE, /^metering$/],
  [TOP_UP_SERVICE, /^topping up$/],
  [SCHEDULER_SERVICE, /^scheduling$/],
  [API_SERVICE, /^serving$/],
]);
const GROUPS = ["metering", "top-up"];

export interface UpgradeOptions {
  /** How long usage flows in each of the three phases at least. */
  readonly phaseMs: number;
  readonly note: (line: string) => void;
}

export interface Upgraded extends Compared {
  /** What set-up of this version applied while the release ran. */
  readonly migrated: readonly string[];
}

/**
 * A release meters, charges and serves; this version's set-up runs beside it; both work on the same topics and
 * books; then the release stops. Usage flows all the while. Throws where a process ends or fails at its work.
 */
export async function upgrade(from: Release, options: UpgradeOptions): Promise<Upgraded> {
  const processes: Named[] = [];
  try {
    return await run(from, processes, options);
  } catch (error) {
    const said = processes.flatMap(({ name, process: { log } }) =>
      log.slice(-12).map((line) => `${name}: ${JSON.stringify(line)}`),
    );
    throw new Error([(error as Error).message, ...said].join("\n"), { cause: error });
  }
}

interface Named {
  readonly name: string;
  readonly process: ServiceProcess;
}

async function run(
  from: Release,
  processes: Named[],
  { phaseMs, note }: UpgradeOptions,
): Promise<Upgraded> {
  await using held = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "drawdown-upgrade-"));
  held.defer(() => rm(folder, { recursive: true, force: true }));
  const say = () => undefined;
  const stack = await startStack({ dataDir: folder, ports: ownPorts(1), say, ...quickJava() });
  held.defer(() => stack.stop());
  const gateway = await startSimulatedGateway({ dataDir: join(folder, "gateway") });
  held.defer(() => gateway.close());
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = {
    ...{ PATH, HOME, NODE_COMPILE_CACHE, TZ: "UTC", ...stack.env },
    ...{ SCHEDULER_CRON: "* * * * * *", TOP_UP_CEILINGS: "USD 1000/1000000/1000000" },
    ...{ PAYMENT_GATEWAY: "simulated", SIMULATED_GATEWAY_URL: gateway.url },
    ...{ SIMULATED_GATEWAY_WEBHOOK_SECRET: SECRET, WEBHOOK_PORT: "0", API_PORT: "0" },
  };
  held.defer(async () => void (await Promise.all(processes.map(({ process }) => process.kill()))));

  note(`the release ${from.commit.slice(0, 8)} (${from.newestMigration}) is set up`);
  await runOf(from, "infra/set-up.ts", [], { ...env, ...stack.setUpEnv });
  await runOf(from, "services/cli/main.ts", ["catalogue", "apply", CATALOGUE], env);
  const keyWords = ["key", "create", "upgrade", "--scope", "admin", "--json"];
  const { key } = JSON.parse(await runOf(from, "services/cli/main.ts", keyWords, env));
  const start = async (version: string, services: readonly (Service | null)[]) => {
    const started = services.flatMap((service) => {
      if (service === null) return [];
      const process = startService(service, env, "test");
      processes.push({ name: `${service.name} of ${version}`, process });
      return { service, process };
    });
    await Promise.all(
      started.map(({ service, process }) =>
        process.says(atWork(service.name) ?? /^serving health$/, WITHIN_MS),
      ),
    );
    return started.map(({ process }) => process);
  };
  const releases = await Promise.all(SERVICES.map((service) => serviceOf(from, service)));
  const old = await start("the release", releases);
  const apiOf = async (running: readonly ServiceProcess[]) => {
    const said = running
      .flatMap(({ log }) => log)
      .find(({ msg, address }) => msg === "serving" && address);
    return apiAt(String(said?.["address"]), key);
  };
  const oldApi = await apiOf(old);
  for (const id of [...USING, ...BUYING, ...PLANNED]) await open(oldApi, id);
  const kafka = testKafka(env);
  const admin = kafka.admin();
  await admin.connect();
  held.defer(() => admin.disconnect());
  const database = new pg.Pool({ connectionString: stack.superuserUrl, max: 2 });
  held.defer(() => database.end());
  const registry = stack.env.SCHEMA_REGISTRY_URL;
  const accounts = [...USING, ...BUYING, ...PLANNED];
  const load = await openLoad({ kafka, registry, accounts, meter: METER });
  held.defer(() => load.stop());

  load.add(await usageSchemaOf(from));
  // What is new is used once the release has stopped.
  const hasHolds = from.newestMigration >= "0046";
  if (hasHolds) await oldApi("POST", "/v1/accounts/using-0/holds", hold("of-the-release"));
  note("the release works alone");
  await moved(database, admin, phaseMs);

  const lines: string[] = [];
  await setUp({ ...env, ...stack.setUpEnv }, (line) => lines.push(line));
  const migrated = lines.find((line) => line.startsWith("migrated: "))?.slice(10) ?? "";
  note(`set up beside it: ${migrated}`);
  load.add(await usageSchemaOf(THIS));
  await moved(database, admin, phaseMs / 2);

  const young = await start("this version", SERVICES);
  // As after a crash, or for whoever goes back.
  const scheduler = await serviceOf(from, SCHEDULER_SERVICE);
  const metering = await serviceOf(from, METERING_SERVICE);
  const more = await start("the release, on the new tables", [scheduler, metering]);
  await eventually("old and new share the partitions", () => areShared(admin), WITHIN_MS);
  note("both work");
  if (hasHolds) {
    const newApi = await apiOf(young);
    await newApi("POST", "/v1/accounts/using-0/holds", hold("of-this"));
    await newApi("POST", "/v1/accounts/using-0/holds/of-the-release/release", {});
    await oldApi("POST", "/v1/accounts/using-0/holds/of-this/release", {});
  }
  await moved(database, admin, phaseMs);

  const stopped = await Promise.all([...old, ...more].map((process) => process.stop()));
  note("the release has stopped");
  await moved(database, admin, phaseMs);
  await load.stop();
  const left = await drain(admin, database, WITHIN_MS);
  note("everything is read; comparing");
  const { superuserUrl } = stack;
  const compared = await compare({
    ...{ env: { ...stack.env }, superuserUrl, gatewayUrl: gateway.url },
    sent: load.sent,
  });
  stopped.push(...(await Promise.all(young.map((process) => process.stop()))));
  const findings = [
    ...compared.findings,
    ...left.map((what) => `at the end: ${what}`),
    ...stopped.filter((code) => code !== 0).map((code) => `a process ended with ${code}`),
    ...processes.flatMap(({ name, process: { log } }) =>
      log
        .filter(({ level }) => level === "error" || level === "fatal" || level === "none")
        .map((line) => `${name}: ${JSON.stringify(line)}`),
    ),
  ];
  return { ...compared, migrated: migrated.split(", "), findings };
}

function atWork(name: string): RegExp | undefined {
  return [...AT_WORK].find(([service]) => service.name === name)?.[1];
}

type Ask = (method: string, path: string, body: unknown) => Promise<void>;

/** Asks one process of the API; throws unless it does what is asked. */
function apiAt(url: string, key: string): Ask {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  };
}

async function open(ask: Ask, id: string): Promise<void> {
  const place = `/v1/accounts/${id}`;
  await ask("POST", "/v1/accounts", { account_id: id, time_zone: "UTC", currency: "USD" });
  const credits = BUYING.includes(id) ? 5_000_000 : 1_000_000_000;
  await ask("POST", `${place}/grants`, {
    lot_id: "first",
    credits: `${credits}`,
    expires_at: null,
  });
  if (USING.includes(id)) return;
  await ask("PUT", `${place}/payment-method`, { customer: `cus_${id}`, method: "card_approve" });
  const limits = { limit_per_day: "100000000", limit_per_month: "100000000" };
  await ask("PATCH", `${place}/auto-top-up`, limits);
  if (!PLANNED.includes(id)) return;
  await ask("POST", `${place}/subscription`, { plan_id: "starter", interval: "month" });
}

function hold(id: string) {
  return { hold_id: id, credits: "1000000", ttl_seconds: 3_600 };
}

/** Lets usage flow for a time, and then until the books have read every partition beyond its end of now. */
async function moved(database: pg.Pool, admin: Admin, ms: number): Promise<void> {
  await wait(ms);
  const ends = await admin.fetchTopicOffsets("usage.events");
  await eventually(
    "usage is metered in every partition",
    async () => {
      const { rows } = await database.query<{ partition: number; next: string }>(
        `SELECT kafka_partition AS partition, next_offset AS next FROM consumer_offset
         WHERE consumer = 'metering'`,
      );
      const next = new Map(rows.map((row) => [row.partition, BigInt(row.next)]));
      return ends.every(({ partition, high }) => (next.get(partition) ?? 0n) >= BigInt(high));
    },
    WITHIN_MS,
  );
}

/** Whether every member of each group has a partition, the release's as well as this version's. */
async function areShared(admin: Admin): Promise<boolean> {
  const { groups } = await admin.describeGroups(GROUPS);
  return groups.every(
    ({ state, members }) =>
      state === "Stable" &&
      members.length > 1 &&
      members.every(({ memberAssignment }) => {
        const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment);
        return Object.values(decoded?.assignment ?? {}).some((partitions) => partitions.length > 0);
      }),
  );
}
