import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { z } from "zod";
import {
  openUsageClient,
  PublishFailed,
  type UsageClient,
} from "../../../shared/client/usage-client.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { countOf, countText } from "../../../shared/core/text/text.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { printable, toJson } from "../shell/print.ts";
import { addressesOf, probeRegistry, requireKafka } from "../shell/probe-parts.ts";
import { openProgress, type Progress } from "../shell/progress.ts";
import { readLines } from "../shell/read-lines.ts";
import { PartUnavailable, type Result, refused, shown } from "../shell/result.ts";
import { reasonOf } from "../shell/with-database.ts";
import { parseUsageLine } from "./usage-line.ts";

/** The most bad lines that are named one by one. */
const MOST_NAMED = 100;

/** When Kafka does not acknowledge for longer, the rest of the file is not tried. */
const GIVE_UP_AFTER_MS = 30_000;

/** `lost` is set when Kafka has stopped acknowledging. */
interface Tally {
  /** Lines that are not blank. */
  lines: number;
  published: number;
  failed: number;
  /** Lines with an event_id, but no occurred_at. */
  untimed: number;
  lost: boolean;
}

/** Publishes a file of usage events, or standard input when it is called `-`. */
export async function publishFile(
  settings: Settings,
  file: string,
  json: boolean,
): Promise<Result> {
  const size = await sizeOf(file);
  if (typeof size === "string") return refused(`cannot read ${file}: ${size}`);
  await Promise.all([requireKafka(settings), requireRegistry(settings)]);
  const client = openUsageClient({
    kafka: settings.kafka,
    registry: settings.registry,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    logger: createLogger("cli", "silent"),
  });
  using progress = openProgress(size, `${((size ?? 0) / 1e6).toFixed(1)} MB`);
  const startedAt = performance.now();
  const tally = await publishLines(client, counted(file, progress), (line, problem) =>
    progress.log(badLine(line, problem, json)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return summary(tally, addressesOf(settings).kafka, seconds);
}

/** Publishes line by line and goes on after bad lines; `onBad` receives the first ones. */
async function publishLines(
  client: UsageClient,
  chunks: AsyncIterable<Buffer>,
  onBad: (line: number, problem: string) => void,
): Promise<Tally> {
  const tally: Tally = { lines: 0, published: 0, failed: 0, untimed: 0, lost: false };
  const lost = Promise.withResolvers<void>();
  const fail = (line: number, problem: string) => {
    tally.failed += 1;
    if (tally.failed <= MOST_NAMED) onBad(line, problem);
  };
  for await (const line of readLines(chunks)) {
    if (tally.lost) break;
    if (line.kind === "line" && line.text.trim() === "") continue;
    tally.lines += 1;
    const usage = line.kind === "line" ? parseUsageLine(line.text) : line.problem;
    if (typeof usage === "string") {
      fail(line.number, usage);
      continue;
    }
    await client.ready();
    client.publish(usage).then(
      () => {
        tally.published += 1;
        if (usage.eventId !== undefined && usage.occurredAt === undefined) tally.untimed += 1;
      },
      (error: unknown) => {
        if (error instanceof PublishFailed) {
          tally.lost = true;
          lost.resolve();
        }
        fail(line.number, reasonOf(error));
      },
    );
  }
  // Once Kafka is lost, each remaining batch would be retried for as long again.
  await Promise.race([client.close(), lost.promise]);
  return tally;
}

const publishing = noun({
  published: z.number().int(),
  failed: z.number().int(),
  untimed: z.number().int(),
  events_per_second: z.number(),
});

function summary(tally: Tally, address: string, seconds: number): Result {
  const { lines, published, untimed, lost } = tally;
  const failed = lines - published;
  const perSecond = Math.round(published / seconds);
  const text = `Published ${countOf(published, "event")}, ${countOf(perSecond, "event")}/s; ${countText(failed)} failed.${untimedText(untimed)}`;
  const notAll = `${countOf(failed, "line")} of ${countText(lines)} could not be published`;
  const stopped = `Kafka at ${address} stopped acknowledging; nothing after line ${lines} was tried`;
  return shown(
    publishing,
    { published, failed, untimed, eventsPerSecond: perSecond },
    text,
    failed === 0 ? null : lost ? stopped : notAll,
  );
}

function badLine(line: number, problem: string, json: boolean): string {
  return json
    ? toJson({ line, error: printable(problem) }, 0)
    : printable(`line ${line}: ${problem}`);
}

async function requireRegistry(settings: Settings): Promise<void> {
  const registry = await probeRegistry(settings);
  if (registry.up) return;
  const where = `the schema registry at ${addressesOf(settings).registry}`;
  throw new PartUnavailable(`${where} cannot be reached: ${registry.reason}`);
}

const STDIN = "-";

/** In bytes; null: unknown; a string: why the file cannot be read. */
async function sizeOf(file: string): Promise<number | null | string> {
  if (file === STDIN) return null;
  try {
    const found = await stat(file);
    if (found.isDirectory()) return "it is a directory";
    return found.isFile() ? found.size : null;
  } catch (error) {
    return reasonOf(error);
  }
}

async function* counted(file: string, progress: Progress): AsyncGenerator<Buffer> {
  const stream: AsyncIterable<Buffer> = file === STDIN ? process.stdin : createReadStream(file);
  for await (const chunk of stream) {
    progress.add(chunk.length);
    yield chunk;
  }
}

function untimedText(untimed: number): string {
  if (untimed === 0) return "";
  return `\n${countOf(untimed, "line has an event_id but no occurred_at and", "lines have an event_id but no occurred_at and")} occurred now: published again, that would be a conflict.`;
}
