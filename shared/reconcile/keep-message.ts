import type { Kafka, KafkaMessage } from "kafkajs";
import type { Place } from "../core/history/verify-usage.ts";
import { TOPICS } from "../core/text/topics.ts";
import type { ReceivedEvent, Rejection } from "../core/usage/usage-event.ts";
import type { UsageDecoder } from "../kafka/codec/usage-decoder.ts";
import { type OffsetRange, readRanges } from "../kafka/consume/read-ranges.ts";
import type { Database } from "../ledger/postgres/database.ts";
import { keepMissed } from "../ledger/proof/keep-missed.ts";
import type { Repair } from "../ledger/proof/repairs.ts";

/** A message that the books have read past, as it stands in the topic. */
export interface MissedMessage extends Place {
  readonly key: Buffer | null;
  readonly payload: Buffer;
  readonly read: ReceivedEvent | Rejection;
}

export interface MissedMessages {
  /** The message at a place; null: it is not there any more. */
  at(place: Place): MissedMessage | null;
}

/** Reads the messages at these places; of each partition once, from the first place to the last. */
export async function readMissed(
  parts: { readonly kafka: Kafka; readonly decoder: UsageDecoder; readonly signal: AbortSignal },
  places: readonly Place[],
): Promise<MissedMessages> {
  const { kafka, decoder, signal } = parts;
  const found = new Map<string, MissedMessage>();
  const wanted = new Set(places.map(textOf));
  await readRanges(kafka, {
    topic: TOPICS.usageEvents,
    ranges: rangesOf(places),
    signal,
    async onBatch({ partition, messages }) {
      const missed = messages.filter(({ offset }) => wanted.has(`${partition}/${offset}`));
      await decoder.learn(missed.map(({ value }) => value));
      for (const message of missed) {
        const one = toMissed(message, partition, decoder);
        found.set(textOf(one), one);
      }
    },
  });
  return { at: (place) => found.get(textOf(place)) ?? null };
}

function toMissed(message: KafkaMessage, partition: number, decoder: UsageDecoder): MissedMessage {
  const offset = BigInt(message.offset);
  const read = decoder.decode(message.value, partition, offset);
  return { partition, offset, key: message.key, payload: message.value ?? Buffer.alloc(0), read };
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

const MISSED: Rejection = { reason: "missed", detail: "it was read past and not metered" };

/**
 * Keeps a message as a dead letter, where it waits for a decision; with `retry` the decision is taken,
 * and it is metered like any other that is retried. False: it is not in the topic any more.
 */
export async function keepMessage(
  database: Database,
  message: MissedMessage | null,
  { retry }: { readonly retry: boolean },
  noted: Repair,
): Promise<boolean> {
  if (message === null) return false;
  const { partition, offset, key, payload, read } = message;
  const place = { topic: TOPICS.usageEvents, partition, offset };
  const event = "reason" in read ? null : read;
  const letter = {
    ...place,
    accountId: noted.accountId === "" ? null : noted.accountId,
    meter: event?.meter ?? null,
    occurredAt: event?.occurredAt ?? null,
    rejection: "reason" in read ? read : MISSED,
    ...{ key, payload, recordedAt: noted.at },
  };
  await keepMissed(database, letter, { retry }, { ...noted, detail: place });
  return true;
}
