import type { Codec } from "../load/avro.ts";
import type { Usage } from "../load/event.ts";
import { isPriced } from "./prices.ts";
import type { TopicRecord } from "./read-topic.ts";

/** What the topic alone says must be in the books. */
export interface ExpectedUsage {
  /** The messages of each event that must be metered, by identity, in the topic's order. */
  readonly events: ReadonlyMap<string, readonly Message[]>;
  /** The reason of each message that must be a dead letter, by place. */
  readonly deadLetters: ReadonlyMap<string, string>;
  /** Identity and content of each message that could be metered, conflicts too. */
  readonly contents: ReadonlySet<string>;
}

export interface Message {
  readonly place: string;
  readonly partition: number;
  readonly usage: Usage;
}

interface JudgedBy {
  readonly codec: Codec;
  readonly schemaId: number;
  readonly accounts: ReadonlySet<string>;
  /** Milliseconds. */
  readonly now: bigint;
  readonly metered: (identity: string) => string | undefined;
}

const AHEAD_MS = 3_600_000n;
const BEHIND_MS = 40n * 86_400_000n;

/**
 * Judges every message of usage.events by itself. Of an event with several contents the first one is
 * metered; across partitions, where there is no first, `metered` says which one was.
 */
export function expectUsage(records: readonly TopicRecord[], given: JudgedBy): ExpectedUsage {
  const events = new Map<string, Message[]>();
  const deadLetters = new Map<string, string>();
  const contents = new Set<string>();
  for (const { partition, offset, value } of records) {
    const place = placeOf(partition, offset);
    const judged = judge(value, given);
    if (typeof judged === "string") deadLetters.set(place, judged);
    else {
      const messages = events.get(identityOf(judged)) ?? [];
      messages.push({ place, partition, usage: judged });
      events.set(identityOf(judged), messages);
      contents.add(identityOf(judged) + contentOf(judged));
    }
  }
  for (const [identity, messages] of events) {
    const wins = winnerOf(messages) ?? given.metered(identity);
    const [metered, conflicts] = split(messages, ({ usage }) => contentOf(usage) === wins);
    for (const { place } of conflicts) deadLetters.set(place, "conflict");
    events.set(identity, metered);
  }
  return { events, deadLetters, contents };
}

/** The content that came first; undefined where contents lie on several partitions. */
function winnerOf(messages: readonly Message[]): string | undefined {
  const contents = messages.map(({ usage }) => contentOf(usage));
  const isOrdered = new Set(messages.map(({ partition }) => partition)).size === 1;
  return isOrdered || new Set(contents).size === 1 ? contents[0] : undefined;
}

function split<T>(items: readonly T[], holds: (item: T) => boolean): [T[], T[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

export function placeOf(partition: number, offset: bigint | string): string {
  return `${partition}:${offset}`;
}

export function identityOf(usage: Pick<Usage, "account_id" | "source" | "event_id">): string {
  return JSON.stringify([usage.account_id, usage.source, usage.event_id]);
}

export function contentOf(usage: Usage): string {
  const dimensions = Object.entries(usage.dimensions).toSorted();
  return JSON.stringify([
    ...[usage.meter, String(usage.quantity), String(usage.occurred_at), dimensions],
  ]);
}

/** The event, or the reason why its message cannot be metered. */
function judge(value: Buffer, { codec, schemaId, accounts, now }: JudgedBy): Usage | string {
  const usage = readUsage(value, codec, schemaId);
  if (typeof usage === "string") return usage;
  if (usage.quantity < 0n) return "negative_quantity";
  if (usage.occurred_at > now + AHEAD_MS) return "too_far_ahead";
  if (usage.occurred_at < now - BEHIND_MS) return "too_long_ago";
  if (!accounts.has(usage.account_id)) return "unknown_account";
  return isPriced(usage.meter) ? usage : "unknown_meter";
}

function readUsage(value: Buffer, codec: Codec, schemaId: number): Usage | string {
  if (value.length < 5 || value[0] !== 0) return "unreadable";
  if (value.readInt32BE(1) !== schemaId) return "unknown_schema";
  try {
    return codec.fromBuffer(value.subarray(5)) as Usage;
  } catch {
    return "unreadable";
  }
}
