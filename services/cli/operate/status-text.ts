import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { count, instant } from "../../../shared/contract/wire.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf, countText } from "../../../shared/core/text/text.ts";
import type { HousekeepingRun } from "../../../shared/ledger/housekeeping/runs.ts";
import { webhookTrouble } from "../../../shared/ledger/webhooks/backlog.ts";
import { fields, printable, table } from "../shell/print.ts";
import type { PartitionLag } from "../usage/metering-progress.ts";
import { MOST_WAITING, type Status } from "./inspect-parts.ts";
import { servicesLines, servicesTable } from "./services-text.ts";

const UNKNOWN = "unknown";

export const statusNoun = noun({
  up: z.boolean(),
  parts: z.array(
    noun({ name: z.string(), up: z.boolean(), address: z.string().nullable(), detail: z.string() }),
  ),
  services: z
    .array(
      noun({
        name: z.string(),
        state: z.enum(["ready", "not_ready", "not_alive", "unreachable"]),
        address: z.string(),
        down: z.array(noun({ check: z.string(), since: instant, reason: z.string() })),
        reason: z.string().nullable(),
      }),
    )
    .nullable(),
  partitions: z.array(
    noun({
      partition: z.number().int(),
      high_watermark: count.nullable(),
      next_offset: count.nullable(),
      lag: count.nullable(),
    }),
  ),
  lag: count.nullable(),
  events_per_second: z.number().nullable(),
  outbox: z.number().int().nullable(),
  dead_letters: z.array(noun({ reason: z.string(), count: z.number().int() })).nullable(),
  expiring_keys: z
    .array(noun({ key_id: z.string(), name: z.string(), expires_at: instant.nullable() }))
    .nullable(),
  housekeeping: z
    .array(
      noun({
        table: z.string(),
        kept_for: z.string(),
        ran_at: instant,
        deleted: count,
        finished: z.boolean(),
      }),
    )
    .nullable(),
  usage_kept_since: instant.nullable(),
  webhooks: z
    .array(
      noun({
        endpoint_id: z.string(),
        host: z.string(),
        queues: z.number().int(),
        failing_since: instant.nullable(),
        paused_at: instant.nullable(),
        paused_by: z.string().nullable(),
        problem: z.string().nullable(),
      }),
    )
    .nullable(),
});

export function toStatus(status: Status) {
  return {
    ...status,
    up: namesOfDown(status).length === 0,
    partitions: status.partitions.map((lag) => ({ ...lag, highWatermark: lag.high })),
    lag: totalLag(status.partitions),
    outbox: status.waiting,
    usageKeptSince: status.usagePastUntil,
  };
}

/** The servers and services that are not up, each once. */
export function namesOfDown({ parts, services }: Status): string[] {
  const down = parts.filter(({ up }) => !up);
  const unready = (services ?? []).filter(({ state }) => state !== "ready");
  return [...new Set([...down, ...unready].map(({ name }) => name))];
}

export function statusText(status: Status): string {
  const { parts, partitions, eventsPerSecond } = status;
  const lag = totalLag(partitions);
  return [
    table(parts, [
      ["PART", ({ name }) => name],
      ["STATE", ({ up }) => (up ? "up" : "DOWN")],
      ["WHERE", ({ address }) => address ?? ""],
      ["", ({ detail }) => detail],
    ]),
    ...servicesTable(status.services),
    ...(partitions.length === 0 ? [] : [partitionTable(partitions)]),
    ...housekeepingTable(status.housekeeping ?? []),
    fields([
      ...servicesLines(status.services),
      ["lag", lag === null ? UNKNOWN : countOf(lag, "event")],
      ["speed", eventsPerSecond === null ? UNKNOWN : `${countOf(eventsPerSecond, "event")}/s`],
      ["outbox", waitingText(status.waiting)],
      ...housekeepingLines(status.housekeeping),
      ...usageLines(status),
      ["dead letters", deadLettersText(status.deadLetters)],
      ...expiringKeysLines(status.expiringKeys),
      ...webhookLines(status.webhooks),
    ]),
  ].join("\n\n");
}

function partitionTable(partitions: readonly PartitionLag[]): string {
  return table(partitions, [
    ["PARTITION", ({ partition }) => partition, "right"],
    ["END", ({ high }) => high ?? "?", "right"],
    ["NEXT", ({ nextOffset }) => nextOffset ?? "?", "right"],
    ["LAG", ({ lag }) => lag ?? "?", "right"],
  ]);
}

function housekeepingTable(runs: readonly HousekeepingRun[]): string[] {
  if (runs.length === 0) return [];
  const rows = table(runs, [
    ["TABLE", (run) => run.table],
    ["KEPT FOR", ({ keptFor }) => keptFor],
    ["LAST CLEANED", ({ ranAt }) => formatInstant(ranAt)],
    ["DELETED", ({ deleted }) => countText(deleted), "right"],
    ["", ({ finished }) => (finished ? "" : "more next time")],
  ]);
  return [rows];
}

/** No line where the table says it. */
function housekeepingLines(runs: Status["housekeeping"]): [string, string][] {
  if (runs !== null && runs.length > 0) return [];
  return [["housekeeping", runs === null ? UNKNOWN : "not run yet"]];
}

/** No line where all usage is kept. */
function usageLines({ usagePastUntil: since }: Status): [string, string][] {
  return since === null ? [] : [["usage events", `kept since ${formatInstant(since)}`]];
}

/** Null when the lag of a partition is unknown. */
function totalLag(partitions: readonly PartitionLag[]): bigint | null {
  const lags = partitions.map(({ lag }) => lag);
  if (lags.length === 0) return null;
  return lags.reduce((sum, lag) => (sum === null || lag === null ? null : sum + lag), 0n);
}

function waitingText(waiting: number | null): string {
  if (waiting === null) return UNKNOWN;
  const more = waiting === MOST_WAITING ? " or more" : "";
  return `${countOf(waiting, "record")}${more} waiting`;
}

function deadLettersText(deadLetters: Status["deadLetters"]): string {
  if (deadLetters === null) return UNKNOWN;
  if (deadLetters.length === 0) return "none";
  return deadLetters.map(({ reason, count }) => `${count} ${reason}`).join(", ");
}

/** No line where no key is about to expire. */
function expiringKeysLines(keys: Status["expiringKeys"]): [string, string][] {
  return (keys ?? []).map(({ keyId, name, expiresAt }) => [
    "expiring key",
    `${printable(name)} (${keyId}) on ${formatInstant(expiresAt)}: create another, then revoke it`,
  ]);
}

/** A line for each endpoint that is not delivered to as it should be. */
function webhookLines(webhooks: Status["webhooks"]): [string, string][] {
  return (webhooks ?? []).flatMap((backlog): [string, string][] => {
    const trouble = webhookTrouble(backlog);
    if (trouble === null) return [];
    const { endpointId, host, queues } = backlog;
    const waits = queues === 0 ? "" : `; ${countOf(queues, "queue")} waiting`;
    return [["webhook", `${endpointId} at ${host} is ${trouble}${waits}`]];
  });
}
