import type { Admin } from "kafkajs";
import type pg from "pg";
import { again } from "../again.ts";
import type { FireAccount } from "../load/accounts.ts";
import type { Api } from "../load/api.ts";
import type { Usage } from "../load/event.ts";
import type { Generator } from "../load/generator.ts";
import type { Stage } from "../stage/stage.ts";

/** A question whether something moves again; it is asked until it is answered with true. */
export interface Question {
  readonly service: string;
  readonly what: string;
  ask(): Promise<boolean>;
}

export interface ProbeFrom {
  readonly stage: Stage;
  readonly admin: Admin;
  readonly database: pg.Pool;
  readonly generator: Generator;
  readonly api: Api;
  readonly canaries: readonly FireAccount[];
  readonly probe: number;
}

const CROSSING = 40n;

/**
 * Publishes new usage to every partition and to accounts that it makes low, and returns what must
 * follow from it: what each service does for it, by itself.
 */
export async function askForProgress(from: ProbeFrom): Promise<Question[]> {
  const { stage, database, canaries } = from;
  const since = Date.now();
  const ends = await publishProbes(from);
  const metering: Question = {
    service: "metering",
    what: "reads every partition",
    ask: async () => {
      const { rows } = await database.query<{ partition: number; next: string }>(
        `SELECT kafka_partition AS partition, next_offset AS next
         FROM consumer_offset WHERE consumer = 'metering' AND topic = 'usage.events'`,
      );
      const next = new Map(rows.map((row) => [row.partition, BigInt(row.next)]));
      return [...ends].every(([partition, offset]) => (next.get(partition) ?? 0n) > offset);
    },
  };
  const topUp: Question = {
    service: "top-up",
    what: "charges those who are low",
    ask: async () => {
      const { rows } = await database.query<{ count: number }>(
        `SELECT count(*)::integer AS count FROM payment
         WHERE account_id = ANY($1) AND status = 'succeeded'`,
        [canaries.map(({ id }) => id)],
      );
      return (rows[0]?.count ?? 0) >= canaries.length;
    },
  };
  const schedulers = stage.running("scheduler").map(
    (member): Question => ({
      service: "scheduler",
      what: `${member.name} runs`,
      ask: async () => member.lastSaid("run") > since,
    }),
  );
  const apis = stage.running("api").map(
    ({ name, port }): Question => ({
      service: "api",
      what: `${name} answers`,
      ask: async () => (await from.api.once(port ?? 0, "GET", "/v1/accounts/hot-0")) === 200,
    }),
  );
  const groups = (["metering", "top-up"] as const).map((service) =>
    wholeGroup(from.admin, service, stage.running(service).length),
  );
  return [metering, topUp, ...schedulers, ...apis, ...groups];
}

/** The offset of the probe in each partition. */
async function publishProbes(from: ProbeFrom): Promise<ReadonlyMap<number, bigint>> {
  const { stage, admin, generator, canaries, probe } = from;
  const now = stage.now();
  const ends = await again(() => admin.fetchTopicOffsets("usage.events"));
  const partitions = ends.map(({ partition }) => partition);
  const probes = partitions.map((partition) => ({
    usage: usage(now, `probe-${probe}-${partition}`, "steady-0", 1n),
    partition,
  }));
  const crossings = canaries.map(({ id }) => {
    return { usage: usage(now, `crossing-${probe}`, id, CROSSING) };
  });
  await generator.publish(crossings);
  const sent = await generator.publish(probes);
  return new Map(sent.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset ?? 0)]));
}

/** `now`: what the clocks of the services show, in milliseconds. */
export function usage(now: number, eventId: string, accountId: string, quantity: bigint): Usage {
  return {
    ...{ event_id: eventId, account_id: accountId, meter: "fire.calls", quantity },
    ...{ occurred_at: BigInt(now), source: "probe", dimensions: {} },
  };
}

/** Tells whom Kafka has in the group, in case it never becomes whole. */
function wholeGroup(admin: Admin, service: string, members: number): Question {
  let seen = "it does not answer";
  return {
    service,
    get what() {
      return `has its ${members} processes in its group: ${seen}`;
    },
    async ask() {
      const { groups } = await admin.describeGroups([service]);
      const [found] = groups;
      const ids = found?.members.map(({ memberId, clientHost }) => `${memberId} of ${clientHost}`);
      seen = `${found?.state}, ${ids?.join(", ") || "nobody"}`;
      return found?.state === "Stable" && found.members.length === members;
    },
  };
}
