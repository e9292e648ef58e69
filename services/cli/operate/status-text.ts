import { countOf } from "../../../shared/core/text/text.ts";
import { fields, table } from "../shell/print.ts";
import type { PartitionLag } from "../usage/metering-progress.ts";
import { MOST_WAITING, type Status } from "./inspect-parts.ts";

const UNKNOWN = "not known";

export function statusJson(status: Status) {
  const { parts, partitions, eventsPerSecond, waiting, deadLetters } = status;
  return {
    up: parts.every(({ up }) => up),
    parts: parts.map(({ name, up, address, detail }) => ({ name, up, address, detail })),
    partitions: partitions.map((known) => ({
      partition: known.partition,
      high_watermark: known.high,
      next_offset: known.nextOffset,
      lag: known.lag,
    })),
    lag: totalLag(partitions),
    events_per_second: eventsPerSecond,
    outbox: waiting === null ? null : { waiting, more: waiting === MOST_WAITING },
    dead_letters:
      deadLetters === null ? null : deadLetters.map(({ reason, count }) => ({ reason, count })),
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
