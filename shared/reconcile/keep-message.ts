import type { Kafka } from "kafkajs";
import type { Place } from "../core/history/verify-usage.ts";
import { TOPICS } from "../core/text/topics.ts";
import type { ReceivedEvent, Rejection } from "../core/usage/usage-event.ts";
import type { UsageDecoder } from "../kafka/codec/usage-decoder.ts";
import { type OffsetRange, readRanges } from "../kafka/consume/read-ranges.ts";
import type { Database } from "../ledger/postgres/database.ts";
import { keepMissed } from "../ledger/proof/keep-missed.ts";
import type { Repair } from "../ledger/proof/repairs.ts";

/** A message that the books skipped, as the topic has it. */
export interface MissedMessage extends Place {
  readonly key: Buffer | null;
  readonly payload: Buffer;
  readonly received: ReceivedEvent | Rejection;
}

export interface MissedMessages {
  /** The message at an offset; null: the topic no longer has it. */
  at(place: Place): MissedMessage | null;
}

/** Reads the messages at these offsets, each partition once from the first offset to the last. */
export async function readMissed(
  {
    kafka,
    decoder,
    signal,
  }: { readonly kafka: Kafka; readonly decoder: UsageDecoder; readonly signal: AbortSignal },
  places: readonly Place[],
): Promise<MissedMessages> {
  const found = new Map<string, MissedMessage>();
  const wanted = new Set(places.map(textOf));
  await readRanges(kafka, {
    topic: TOPICS.usageEvents,
    ranges: rangesOf(places),
    signal,
    async onBatch({ partition, messages }) {
      const missed = messages.filter(({ offset }) => wanted.has(`${partition}/${offset}`));
      await decoder.learn(missed.map(({ value }) => value));
      for (const { key, value, offset: at } of missed) {
        const offset = BigInt(at);
        const received = decoder.decode(value, partition, offset);
        const payload = value ?? Buffer.alloc(0);
        found.set(`${partition}/${at}`, { partition, offset, key, payload, received });
      }
    },
  });
  return { at: (place) => found.get(textOf(place)) ?? null };
}

function rangesOf(places: readonly Place[]): Map<number, OffsetRange> {
  const ranges = new Map<number, OffsetRange>();
  for (const { partition, offset } of places) {
    const { from, to } = ranges.get(partition) ?? { from: offset, to: offset + 1n };
    ranges.set(partition, {
      from: offset < from ? offset : from,
      to: offset >= to ? offset + 1n : to,
    });
  }
  return ranges;
}

function textOf({ partition, offset }: Place): string {
  return `${partition}/${offset}`;
}

const MISSED: Rejection = { reason: "missed", detail: "it was skipped and not metered" };

/**
 * Stores a message as a dead letter; with `retry` it is also retried, and so metered. False: the topic
 * no longer has it.
 */
export async function keepMessage(
  database: Database,
  message: MissedMessage | null,
  { retry }: { readonly retry: boolean },
  entry: Repair,
): Promise<boolean> {
  if (message === null) return false;
  const { partition, offset, key, payload, received } = message;
  const place = { topic: TOPICS.usageEvents, partition, offset };
  const [event, rejection] = "reason" in received ? [null, received] : [received, MISSED];
  const letter = {
    ...place,
    accountId: entry.accountId === "" ? null : entry.accountId,
    ...{ meter: event?.meter ?? null, occurredAt: event?.occurredAt ?? null },
    ...{ rejection, key, payload, recordedAt: entry.at },
  };
  await keepMissed(database, letter, { retry }, { ...entry, detail: place });
  return true;
}
