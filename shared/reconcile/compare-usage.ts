import type { KafkaMessage } from "kafkajs";
import {
  costsOf,
  type Place,
  type RecordedUsage,
  type Usage,
  type UsageDifference,
  usageOf,
  verifyUsage,
} from "../core/history/verify-usage.ts";
import type { Instant } from "../core/line/account.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import type { Cost } from "../core/offer/rate-card.ts";
import type { Rates } from "../core/offer/rates.ts";
import { linesOf } from "../core/usage/event-lines.ts";
import { identityOf, type ReceivedEvent, type Rejection } from "../core/usage/usage-event.ts";
import type { UsageDecoder } from "../kafka/codec/usage-decoder.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import {
  findDeadLetters,
  findRecordedUsage,
  isAtOffset,
  lineOf,
  offsetOfLine,
  ownerOfLine,
  type RecordLines,
  type RecordRange,
} from "../ledger/proof/recorded-usage.ts";
import type { ReceivedLine } from "../ledger/usage/event-rows.ts";
import type { EventOwner } from "../ledger/usage/find-records.ts";

/** What all partitions are compared with, and where the results go. */
export interface UsageComparison {
  /** Sees the books at the cut. */
  readonly transaction: Transaction;
  readonly topic: string;
  readonly decoder: UsageDecoder;
  readonly rates: Rates;
  /** The instant from which on all usage is kept; null: all of it is. */
  readonly pastUntil: Instant | null;
  /** Null: all accounts. */
  readonly accountId: string | null;
  readonly counts: UsageCounts;
  onDifference(difference: UsageDifference): void;
}

/** How many messages were compared, by result. */
export interface UsageCounts {
  messages: number;
  /** Recorded exactly as the topic has them. */
  metered: number;
  repeats: number;
  deadLetters: number;
  /** Without a record, of a time of which records are past retention: each may be a repeat. */
  past: number;
  /** The cost of the correct records, in micro-credits. */
  credits: bigint;
}

/** The registry no longer has a schema that metered messages were written with. */
export class SchemaLost extends Error {}

/** An offset at which message and record are not simply equal. */
interface Suspect {
  readonly place: Place;
  readonly isMessage: boolean;
  readonly usage: Usage | null;
  readonly lines: string[];
}

const SUSPECTS_PER_LOOKUP = 1_000;

/** Compares one partition's messages with the records of its offsets; both are read once, side by side. */
export class PartitionComparison {
  readonly #comparison: UsageComparison;
  readonly #range: RecordRange;
  readonly #lines: RecordLines;
  #suspects: Suspect[] = [];
  /** Events whose record is missing or wrong: repeats of them are compared with the event itself. */
  readonly #differing = new Map<string, ReceivedEvent>();

  constructor(comparison: UsageComparison, range: RecordRange, lines: RecordLines) {
    this.#comparison = comparison;
    this.#range = range;
    this.#lines = lines;
  }

  /** Compares the next messages. */
  async compare(messages: readonly KafkaMessage[]): Promise<void> {
    const { decoder, rates, counts, accountId } = this.#comparison;
    await decoder.learn(messages.map(({ value }) => value));
    for (const { offset: at, value } of messages) {
      const offset = BigInt(at);
      const received = decoder.decode(value, this.#range.partition, offset);
      const owner = "reason" in received ? null : received.accountId;
      if (accountId !== null && owner !== accountId) continue;
      counts.messages += 1;
      // A record equal to its event shows that the event was valid. All other cases are looked up.
      const lines = this.#onlyLine(at) ?? (await this.#linesUpTo(offset, at));
      const credits = "reason" in received ? null : recordedAs(lines, received, rates);
      if (credits === null) await this.#suspect(offset, received, lines);
      else {
        counts.metered += 1;
        counts.credits += credits;
      }
    }
  }

  /** Call it after the last message: the records that are left have no message. */
  async finish(): Promise<void> {
    await this.#linesUpTo(this.#range.to, String(this.#range.to));
    await this.#judge();
    await this.#lines.close();
  }

  async #suspect(
    offset: bigint,
    received: ReceivedEvent | Rejection,
    lines: string[],
  ): Promise<void> {
    const { topic, rates } = this.#comparison;
    const { partition } = this.#range;
    if (lines.length > 0 && "reason" in received && received.reason === "unknown_schema") {
      throw new SchemaLost(
        `${received.detail}, but the message of ${topic}/${partition} at ${offset} was metered with it: restore the schema in the registry`,
      );
    }
    const usage = "reason" in received ? null : usageOf(received, rates);
    this.#suspects.push({ place: { partition, offset }, isMessage: true, usage, lines });
    if (this.#suspects.length >= SUSPECTS_PER_LOOKUP) await this.#judge();
  }

  /** The line at an offset, if it is the next one and no other is; null: look for them. Nothing is awaited. */
  #onlyLine(offset: string): string[] | null {
    const line = this.#lines.peek();
    const following = this.#lines.peek(1);
    if (line === undefined || following === undefined) return null;
    if (!isAtOffset(line, offset) || isAtOffset(following, offset)) return null;
    this.#lines.next();
    return [line];
  }

  /** Returns the lines at an offset; those before it belong to no message and become suspects. */
  async #linesUpTo(offset: bigint, text: string): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = this.#lines.peek() ?? (await this.#lines.refill());
      if (line === undefined) return lines;
      if (isAtOffset(line, text)) lines.push(line);
      else if (lines.length > 0 || offsetOfLine(line) > offset) return lines;
      else this.#stray(line);
      this.#lines.next();
    }
  }

  /** Lines without a message are one suspect for each offset: they may be lines of one event. */
  #stray(line: string): void {
    const place = { partition: this.#range.partition, offset: offsetOfLine(line) };
    const last = this.#suspects.at(-1);
    if (last?.isMessage === false && last.place.offset === place.offset) last.lines.push(line);
    else this.#suspects.push({ place, isMessage: false, usage: null, lines: [line] });
  }

  async #judge(): Promise<void> {
    const { transaction, topic, pastUntil, onDifference } = this.#comparison;
    const suspects = this.#suspects;
    this.#suspects = [];
    const recorded = await findRecordedUsage(transaction, suspects.flatMap(ownersIn));
    const byIdentity = new Map(recorded.map((record) => [identityOf(record), record]));
    const byLine = new Map(recorded.map((record) => [keyOf(record, record), record]));
    const places = suspects.map(({ place }) => place);
    const dead = await findDeadLetters(transaction, topic, places);
    for (const { place, isMessage, usage, lines } of suspects) {
      const records = new Set(
        lines.flatMap((line) => byLine.get(keyOf(place, ownerOfLine(line))) ?? []),
      );
      const identity = usage === null ? "" : identityOf(usage.event);
      const ofIdentity = this.#differing.get(identity) ?? byIdentity.get(identity) ?? null;
      const isDeadLetter = dead.has(placeOf(place));
      const verified = verifyUsage(
        place,
        { usage, isMessage },
        { records: [...records], ofIdentity, isDeadLetter, pastUntil },
      );
      this.#count(verified, [...records]);
      for (const difference of verified.differences) {
        if ("event" in difference) {
          this.#differing.set(identityOf(difference.event), difference.event);
        }
        onDifference(difference);
      }
    }
  }

  #count(
    { became, differences }: ReturnType<typeof verifyUsage>,
    records: readonly RecordedUsage[],
  ): void {
    const { counts } = this.#comparison;
    if (became === "repeat") counts.repeats += 1;
    if (became === "dead_letter") counts.deadLetters += 1;
    if (became === "past") counts.past += 1;
    if (became !== "metered" || differences.some(({ kind }) => kind !== "extra_record")) return;
    const extra = differences.map((difference) => "record" in difference && difference.record);
    counts.metered += 1;
    counts.credits += records.find((record) => !extra.includes(record))?.credits ?? 0n;
  }
}

/** What lines record of an event that they equal, each at a price that is right; null: they do not. */
function recordedAs(
  recorded: readonly string[],
  event: ReceivedEvent,
  rates: Rates,
): MicroCredits | null {
  const costs = costsOf(event, rates);
  const lines = linesOf(event);
  if (costs === null || recorded.length !== lines.length) return null;
  let credits = 0n;
  for (const [index, line] of lines.entries()) {
    const one = index === 0 ? event : { ...event, ...line };
    const cost = lineCredits(recorded[index], one, costs[index]);
    if (cost === null) return null;
    credits += cost;
  }
  return credits;
}

/** What a line costs that was recorded so; null: it was not. */
function lineCredits(
  recorded: string | undefined,
  line: ReceivedLine,
  cost: Cost | undefined,
): MicroCredits | null {
  if (cost === undefined) return null;
  const { least, most } = cost;
  if (recorded === lineOf(line, least)) return least;
  return most > least && recorded === lineOf(line, most) ? most : null;
}

function placeOf({ partition, offset }: Place): string {
  return `${partition}/${offset}`;
}

/** Finds the record of a line, which shows its place and its owner, but not where its source ends. */
function keyOf(place: Place, { accountId, eventId }: EventOwner): string {
  return `${placeOf(place)}\0${accountId}\0${eventId}`;
}

function ownersIn({ usage, lines }: Suspect): EventOwner[] {
  const owners = lines.map(ownerOfLine);
  return usage === null ? owners : [...owners, usage.event];
}
