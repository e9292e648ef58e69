import type { KafkaMessage } from "kafkajs";
import {
  type Place,
  priceOf,
  type RecordedUsage,
  type Usage,
  type UsageDifference,
  usageOf,
  verifyUsage,
} from "../core/history/verify-usage.ts";
import type { RateCard } from "../core/offer/rate-card.ts";
import {
  identityOf,
  type ReceivedEvent,
  type Rejection,
  type UsageEvent,
} from "../core/usage/usage-event.ts";
import type { UsageDecoder } from "../kafka/codec/usage-decoder.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import {
  findDeadLetters,
  findRecordedUsage,
  lineOf,
  offsetOfLine,
  openRecordLines,
  ownerOfLine,
  type RecordRange,
} from "../ledger/proof/recorded-usage.ts";

/** What usage is compared with, and how. */
export interface UsageComparison {
  /** Sees the books at the cut. */
  readonly transaction: Transaction;
  readonly topic: string;
  readonly decoder: UsageDecoder;
  readonly rates: RateCard;
  /** Whose usage alone is looked at; null: everybody's. */
  readonly accountId: string | null;
  onDifference(difference: UsageDifference): void;
}

/** How many messages were looked at, and what became of them. */
export interface UsageCounts {
  readonly messages: number;
  /** Recorded exactly as the topic has them. */
  readonly metered: number;
  readonly repeats: number;
  readonly deadLetters: number;
  /** What the records that were found right cost together, in micro-credits. */
  readonly credits: bigint;
}

/** The registry does not have a schema any more that metered messages were written with. */
export class SchemaLost extends Error {}

/** A place at which topic and records are not simply the same. */
interface Suspect {
  readonly place: Place;
  readonly isMessage: boolean;
  readonly usage: Usage | null;
  readonly lines: readonly string[];
}

/** Places looked up at once. */
const SUSPECTS_AT_ONCE = 1_000;

/** Compares one partition's messages with the records of its offsets, both read once and side by side. */
export interface PartitionComparison {
  /** The next messages, up to `nextOffset`. */
  compare(messages: readonly KafkaMessage[]): Promise<void>;
  /** There are no more messages: what records are left have none. */
  finish(): Promise<UsageCounts>;
}

export async function comparePartition(
  comparison: UsageComparison,
  range: RecordRange,
): Promise<PartitionComparison> {
  const { transaction, decoder, rates, accountId } = comparison;
  const { partition } = range;
  const lines = await openRecordLines(transaction, range, accountId);
  const counts = { messages: 0, metered: 0, repeats: 0, deadLetters: 0, credits: 0n };
  let suspects: Suspect[] = [];
  /** Events whose own record is missing or wrong: what they stand for when they come again. */
  const differing = new Map<string, ReceivedEvent>();

  return {
    async compare(messages) {
      await decoder.learn(messages.map(({ value }) => value));
      for (const { offset: at, value } of messages) {
        const offset = BigInt(at);
        const read = decoder.decode(value, partition, offset);
        if (!isAsked(read)) continue;
        counts.messages += 1;
        const line = lines.peek() ?? (await lines.refill());
        // A record that says all that the event does was fit for metering; of others that is to be seen.
        const credits = "reason" in read ? null : creditsIfRecorded(read, line);
        if (credits !== null) {
          lines.next();
          counts.metered += 1;
          counts.credits += credits;
        } else await suspect(offset, read);
      }
    },
    async finish() {
      await takeLines(range.to);
      await judge();
      await lines.close();
      return counts;
    },
  };

  function isAsked(read: ReceivedEvent | Rejection): boolean {
    return accountId === null || (!("reason" in read) && read.accountId === accountId);
  }

  /** What the event costs, if that is its record's line; else null. */
  function creditsIfRecorded(event: ReceivedEvent, line: string | undefined): bigint | null {
    const credits = priceOf(event, rates);
    return credits !== null && line === lineOf(event, credits) ? credits : null;
  }

  async function suspect(offset: bigint, read: ReceivedEvent | Rejection): Promise<void> {
    const usage = "reason" in read ? null : usageOf(read, rates);
    const ofMessage = await takeLines(offset);
    if (ofMessage.length > 0 && "reason" in read && read.reason === "unknown_schema") {
      const where = `${comparison.topic}/${partition} at ${offset}`;
      throw new SchemaLost(
        `${read.detail}, with which the message of ${where} was metered: give it back to the registry`,
      );
    }
    suspects.push({ place: { partition, offset }, isMessage: true, usage, lines: ofMessage });
    if (suspects.length >= SUSPECTS_AT_ONCE) await judge();
  }

  /** Takes the lines up to an offset; those before it belong to no message that was read. */
  async function takeLines(offset: bigint): Promise<string[]> {
    const taken: string[] = [];
    for (;;) {
      const line = lines.peek() ?? (await lines.refill());
      if (line === undefined) return taken;
      const at = offsetOfLine(line);
      if (at > offset) return taken;
      lines.next();
      if (at === offset) taken.push(line);
      else {
        const place = { partition, offset: at };
        suspects.push({ place, isMessage: false, usage: null, lines: [line] });
      }
    }
  }

  async function judge(): Promise<void> {
    const judged = suspects;
    suspects = [];
    const recorded = await findRecordedUsage(transaction, judged.flatMap(namedBy));
    const places = judged.map(({ place }) => place);
    const dead = await findDeadLetters(transaction, comparison.topic, places);
    for (const { place, isMessage, usage, lines: held } of judged) {
      const records = held.flatMap((line) => recorded.get(identityOf(ownerOfLine(line))) ?? []);
      const { became, differences } = verifyUsage(
        place,
        { usage, isMessage },
        {
          records,
          ofIdentity: usage && standsFor(usage.event, recorded),
          isDeadLetter: dead.has(`${place.partition}/${place.offset}`),
        },
      );
      count(became, differences, records);
      for (const difference of differences) {
        if ("event" in difference) differing.set(identityOf(difference.event), difference.event);
        comparison.onDifference(difference);
      }
    }
  }

  function standsFor(
    event: ReceivedEvent,
    recorded: ReadonlyMap<string, RecordedUsage>,
  ): UsageEvent | null {
    const identity = identityOf(event);
    return differing.get(identity) ?? recorded.get(identity) ?? null;
  }

  function count(
    became: ReturnType<typeof verifyUsage>["became"],
    differences: readonly UsageDifference[],
    records: readonly RecordedUsage[],
  ): void {
    if (became === "repeat") counts.repeats += 1;
    if (became === "dead_letter") counts.deadLetters += 1;
    if (became !== "metered" || differences.some(({ kind }) => kind !== "extra_record")) return;
    counts.metered += 1;
    counts.credits +=
      records.find((record) => !differences.some((d) => of(d) === record))?.credits ?? 0n;
  }
}

function of(difference: UsageDifference): RecordedUsage | null {
  return "record" in difference ? difference.record : null;
}

function namedBy({ usage, lines }: Suspect) {
  const named = lines.map(ownerOfLine);
  return usage === null ? named : [...named, usage.event];
}
