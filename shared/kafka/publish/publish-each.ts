import { isTooLarge } from "../client/kafka-client.ts";
import { NotOfSchema } from "../codec/encoder.ts";
import type { Outgoing, Publisher, RawMessage } from "./publisher.ts";

/** What Kafka refuses for its size or the topic's schema for its fields, and the reason given. */
export interface Refused<T> {
  readonly item: T;
  readonly why: string;
}

/**
 * Publishes items in order and returns those that are refused: one never holds up the others. Beside a
 * refused one the others may be published twice. Throws in an outage.
 */
export async function publishEach<T>(
  publisher: Publisher,
  items: readonly T[],
  toMessage: (item: T) => Outgoing | RawMessage,
): Promise<Refused<T>[]> {
  if (items.length === 0 || (await refusalOf(publisher, items.map(toMessage))) === null) return [];
  const refused: Refused<T>[] = [];
  for (const item of items) {
    const why = await refusalOf(publisher, [toMessage(item)]);
    if (why !== null) refused.push({ item, why });
  }
  return refused;
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
