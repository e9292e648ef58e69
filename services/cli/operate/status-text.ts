import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { count } from "../../../shared/contract/wire.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { fields, table } from "../shell/print.ts";
import type { PartitionLag } from "../usage/metering-progress.ts";
import { MOST_WAITING, type Status } from "./inspect-parts.ts";

const UNKNOWN = "not known";

/** Which parts are up, how far metering is behind, and what waits. */
export const statusNoun = noun({
  up: z.boolean(),
  parts: z.array(
    noun({ name: z.string(), up: z.boolean(), address: z.string().nullable(), detail: z.string() }),
  ),
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
});

export function toStatus(status: Status) {
  return {
    ...status,
    up: status.parts.every(({ up }) => up),
    partitions: status.partitions.map((known) => ({ ...known, highWatermark: known.high })),
    lag: totalLag(status.partitions),
    outbox: status.waiting,
  };
}

export function statusText(status: Status): string {
  const { parts, partitions, eventsPerSecond } = status;
  const lag = totalLag(partitions);
  return [
    table(
      [{ title: "PART" }, { title: "STATE" }, { title: "WHERE" }, { title: "" }],
      parts.map(({ name, up, address, detail }) => [
        name,
        up ? "up" : "DOWN",
        address ?? "",
        detail,
      ]),
    ),
    ...(partitions.length === 0 ? [] : [partitionTable(partitions)]),
    fields([
      ["behind by", lag === null ? UNKNOWN : countOf(lag, "event")],
      ["speed", eventsPerSecond === null ? UNKNOWN : `${countOf(eventsPerSecond, "event")}/s`],
      ["outbox", waitingText(status.waiting)],
      ["dead letters", deadLettersText(status.deadLetters)],
    ]),
  ].join("\n\n");
}

function partitionTable(partitions: readonly PartitionLag[]): string {
  return table(
    [
      { title: "PARTITION", align: "right" },
      { title: "END", align: "right" },
      { title: "NEXT", align: "right" },
      { title: "LAG", align: "right" },
    ],
    partitions.map(({ partition, high, nextOffset, lag }) => [
      partition,
      high ?? "?",
      nextOffset ?? "?",
      lag ?? "?",
    ]),
  );
}

/** Null when the lag of a partition is not known. */
function totalLag(partitions: readonly PartitionLag[]): bigint | null {
  let total = 0n;
  for (const { lag } of partitions) {
    if (lag === null) return null;
    total += lag;
  }
  return partitions.length === 0 ? null : total;
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
