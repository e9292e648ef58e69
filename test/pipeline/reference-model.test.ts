import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import type { UsageEvent } from "../../shared/core/usage/usage-event.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { type Encode, openEncoder } from "../../shared/kafka/codec/encoder.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { openUsageDecoder, type UsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { keepNames } from "../../shared/kafka/codec/usage-names.ts";
import type { MessageBatch } from "../../shared/kafka/consume/batch-forms.ts";
import { decodeColumns } from "../../shared/kafka/consume/decode-columns.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { createModel, type Model } from "../model/reference-model.ts";
import { type Books, openAccount, openBooks, setRates } from "../support/books/books.ts";
import { toldByBooks, toldByModel } from "../support/books/books-told.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { recordsOf } from "../support/kafka/records-of.ts";
import {
  ACCOUNTS,
  type Delivery,
  type EventStep,
  history,
  MINUTE,
  PARTITIONS,
  ratesFrom,
  type Step,
  THRESHOLDS,
} from "./history.ts";

/**
 * The real books and the reference model get the same history; the real ones in batches that are split
 * at random, delivered twice, overlapping, and by two consumers concurrently.
 */
const RUNS = 60;
const START = Date.UTC(2026, 0, 15, 12);
const RATES = ratesFrom(START);

let books: Books;
let decoder: UsageDecoder;
const names = keepNames();
let encode: Encode;
let worlds = 0;

beforeAll(async () => {
  books = await openBooks();
  await setRates(books, RATES);
  const registry = openRegistry(readSettings(process.env).registry);
  encode = await openEncoder(registry, SCHEMAS.usageEvents);
  decoder = openUsageDecoder(registry);
});

afterAll(async () => {
  await books?.close();
});

test("any history leaves the same books as the reference model", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const world = await openWorld();
      for (const step of steps) await play(world, step);
      for (const name of ACCOUNTS) {
        const account = world.idOf(name);
        expect(await toldByBooks(books.database, account), name).toEqual(
          toldByModel(world.model, account),
        );
      }
      expect(await becameOf(world)).toEqual(world.expected);
      expect(await brokenInvariants(books.database, world.idOf("%"))).toEqual([]);
    }),
    { numRuns: RUNS, endOnFailure: false, interruptAfterTimeLimit: 60_000 },
  );
}, 120_000);

/** Accounts and partitions used by one history only. */
interface World {
  readonly model: Model;
  readonly firstPartition: number;
  /** The expected outcome of each message, by `partition/offset`. */
  readonly expected: Record<string, string>;
  /** The messages of each partition so far. */
  readonly log: Buffer[][];
  clock: number;
  lots: number;
  idOf(name: string): string;
}

async function openWorld(): Promise<World> {
  worlds += 1;
  const prefix = `world-${worlds}`;
  const model = createModel({ rates: RATES, window: DEFAULT_WINDOW });
  for (const [index, name] of ACCOUNTS.entries()) {
    const threshold = THRESHOLDS[index] ?? 0n;
    await openAccount(books, `${prefix}-${name}`, { threshold });
    model.createAccount(`${prefix}-${name}`, { threshold });
  }
  return {
    model,
    firstPartition: worlds * PARTITIONS,
    expected: {},
    log: Array.from({ length: PARTITIONS }, () => []),
    clock: START,
    lots: 0,
    idOf: (name) => `${prefix}-${name}`,
  };
}

async function play(world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case "time passes":
      world.clock += step.minutes * MINUTE;
      return;
    case "grant":
      return await playGrant(world, step);
    case "usage":
      return await playUsage(world, step);
  }
}

async function playGrant(world: World, step: Extract<Step, { kind: "grant" }>): Promise<void> {
  world.lots += 1;
  const lotId = `lot-${world.lots}`;
  const account = world.idOf(step.account);
  const expiresAt = step.expiresIn === null ? null : world.clock + step.expiresIn * MINUTE;
  const outcome = await grantCredits(
    books.database,
    toAccountId(account),
    {
      lotId,
      credits: step.credits,
      source: "promotion",
      reference: "",
      end: expiresAt === null ? { kind: "never" } : { kind: "at", at: expiresAt },
    },
    world.clock,
  );
  expect(outcome.kind).toBe("granted");
  world.model.grant(account, lotId, step.credits, expiresAt);
}

async function playUsage(world: World, step: Extract<Step, { kind: "usage" }>): Promise<void> {
  const log = world.log[step.partition] ?? [];
  const from = log.length;
  for (const given of step.events) {
    const event = toEvent(world, given);
    const place = `${world.firstPartition + step.partition}/${log.length}`;
    world.expected[place] = world.model.receive(event, world.clock);
    log.push(toMessage(event));
  }
  let at = from;
  let before = from;
  for (let turn = 0; at < log.length; turn += 1) {
    const { size, delivery } = step.batches[turn % step.batches.length] ?? {
      size: 5,
      delivery: "once",
    };
    const end = Math.min(at + size, log.length);
    await deliver(world, step.partition, { before, at, end }, delivery);
    before = at;
    at = end;
  }
}

async function deliver(
  world: World,
  partition: number,
  { before, at, end }: { before: number; at: number; end: number },
  delivery: Delivery,
): Promise<void> {
  const send = (from: number) => debit(world, partition, from, end);
  switch (delivery) {
    case "once":
      return await send(at);
    case "again":
      await send(at);
      return await send(at);
    case "by two at once":
      await Promise.all([send(at), send(before)]);
      return;
    case "with the one before":
      return await send(before);
  }
}

/** Delivers a batch as metering does: if the books have not read that far, from their offset on. */
async function debit(world: World, partition: number, from: number, end: number): Promise<void> {
  const messages = (world.log[partition] ?? []).slice(from, end);
  await decoder.learn(messages);
  const batch: MessageBatch = {
    topic: TOPICS.usageEvents,
    partition: world.firstPartition + partition,
    fetchedFrom: BigInt(from),
    nextOffset: BigInt(end),
    highWatermark: BigInt(end),
    messages: messages.map((value, index) => message(value, from + index)),
  };
  const now = world.clock;
  const reading = { decoder, now, window: DEFAULT_WINDOW };
  const decoded = decodeColumns([await recordsOf(batch)], names(), reading);
  const usage = { reader: USAGE_READER, now, ...decoded, expectRepeats: false };
  const { runs } = await debitUsage(books.database, ratesReader(), usage);
  if (runs[0]?.kind === "gap") await debit(world, partition, Number(runs[0].nextOffset), end);
}

function message(value: Buffer, offset: number): MessageBatch["messages"][number] {
  return { key: null, value, offset: String(offset), timestamp: "0", attributes: 0, headers: {} };
}

function toEvent(world: World, given: EventStep): UsageEvent {
  return {
    eventId: `event-${given.id}`,
    accountId: world.idOf(given.account),
    meter: given.meter,
    quantity: given.quantity,
    occurredAt: world.clock - given.ago * MINUTE,
    source: given.source,
    dimensions: given.id % 2 === 0 ? {} : { model: "one" },
    quantities: given.further,
    holdId: null,
  };
}

function toMessage(event: UsageEvent): Buffer {
  return encode({
    event_id: event.eventId,
    account_id: event.accountId,
    meter: event.meter,
    quantity: event.quantity,
    occurred_at: event.occurredAt,
    source: event.source,
    dimensions: event.dimensions,
    quantities: event.quantities,
    hold_id: event.holdId,
  });
}

/** The outcome of every message: metered, a dead letter with its reason, or else a repeat. */
async function becameOf(world: World): Promise<Record<string, string>> {
  const { rows } = await books.database.query<{ place: string; became: string }>(
    `SELECT kafka_partition || '/' || kafka_offset AS place, 'metered' AS became
     FROM usage_record WHERE kafka_partition >= $1
     UNION ALL
     SELECT kafka_partition || '/' || kafka_offset, reason
     FROM dead_letter WHERE kafka_partition >= $1`,
    [world.firstPartition],
  );
  const repeats = Object.keys(world.expected).map((place) => [place, "repeat"]);
  return Object.fromEntries([...repeats, ...rows.map(({ place, became }) => [place, became])]);
}
