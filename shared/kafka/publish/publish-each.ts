import { isTooLarge } from "../client/kafka-client.ts";
import { NotOfSchema } from "../codec/encoder.ts";
import type { Outgoing, Publisher, RawMessage } from "./publisher.ts";

/** What Kafka refuses for its size or the topic's schema for its fields, and the reason given. */
export interface Refused<T> {
  readonly item: T;
  readonly why: string;
}

/**
 * Publishes items in order and returns those that are refused: one never holds up the others. What holds a
 * refused one is halved until that one is alone, so a few in thousands cost a few requests: the caller has a
 * transaction open, which Postgres ends after ten idle seconds. Beside a refused one the others may be
 * published twice. Throws in an outage.
 */
export async function publishEach<T>(
  publisher: Publisher,
  items: readonly T[],
  toMessage: (item: T) => Outgoing | RawMessage,
): Promise<Refused<T>[]> {
  const [first, ...others] = items;
  if (first === undefined) return [];
  const why = await refusalOf(publisher, items.map(toMessage));
  if (why === null) return [];
  if (others.length === 0) return [{ item: first, why }];
  const half = items.length >> 1;
  const before = await publishEach(publisher, items.slice(0, half), toMessage);
  return [...before, ...(await publishEach(publisher, items.slice(half), toMessage))];
}

/** Null: all are published. Otherwise some may be. */
async function refusalOf(
  publisher: Publisher,
  messages: readonly (Outgoing | RawMessage)[],
): Promise<string | null> {
  try {
    await publisher.publish(messages);
    return null;
  } catch (error) {
    if (isTooLarge(error) || error instanceof NotOfSchema) return error.message;
    throw error;
  }
}

/** Those of the items that were not refused. */
export function acknowledged<T>(items: readonly T[], refused: readonly Refused<T>[]): T[] {
  const without = new Set(refused.map(({ item }) => item));
  return items.filter((item) => !without.has(item));
}
