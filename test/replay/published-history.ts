import type { Kafka, KafkaMessage } from "kafkajs";
import { BUDGET_WINDOWS } from "../../shared/core/budgets/window.ts";
import { decideAddOn } from "../../shared/core/changes/set-add-on.ts";
import type { Instant } from "../../shared/core/line/account.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { readPartitionEnds } from "../../shared/kafka/client/partition-ends.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { decodeMessages } from "../../shared/kafka/consume/decode-messages.ts";
import { readRanges } from "../../shared/kafka/consume/read-ranges.ts";
import { readOffsets, startOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import { recordUsageComplete } from "../../shared/ledger/books/usage-complete.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { takeCredits } from "../../shared/ledger/credits/adjust-credits.ts";
import { changeSubscription } from "../../shared/ledger/credits/change-subscription.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { withdrawLot } from "../../shared/ledger/credits/withdraw-lot.ts";
import { runSchedule } from "../../shared/ledger/month/run-schedule.ts";
import { postRefund } from "../../shared/ledger/payments/post-refund.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Random, randomFrom } from "../model/random.ts";
import { type Books, openAccount, setPrice } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { giveCard, paidTopUp } from "../support/books/card-holders.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { sellCredits } from "../support/books/payers.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import { DAY, MINUTE } from "../support/core/examples.ts";
import { rawProducer } from "../support/kafka/kafka.ts";
import { openUsagePublisher } from "../support/kafka/publish-usage.ts";

const START = Date.UTC(2026, 5, 28, 12);
const ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata"] as const;
const CREDIT = 1_000_000n;

/**
 * Books with a history of months, generated from a seed: its usage is published to the real topic, and
 * metered from there with the clock passed in, between grants, withdrawals, corrections, top-ups,
 * refunds, subscriptions, add-ons and runs of the scheduler.
 */
export async function playPublished(
  books: Books,
  kafka: Kafka,
  { seed, accounts, steps }: { seed: number; accounts: number; steps: number },
): Promise<void> {
  const random = randomFrom(seed);
  const player = await openPlayer(books, kafka, random);
  try {
    await openCatalogue(books);
    await setPrice(books, "byte", 2n, 5n);
    await sellCredits(books);
    for (let n = 0; n < accounts; n += 1) await player.open(`account-${seed}-${n}`);
    for (let n = 0; n < steps; n += 1) await player.step(n);
  } finally {
    await player.close();
  }
}

async function openPlayer(books: Books, kafka: Kafka, random: Random) {
  const { database } = books;
  const publisher = await openUsagePublisher(kafka);
  const raw = await rawProducer(kafka);
  const metering = await openMetering(books, kafka);
  const ids: string[] = [];
  const lots = new Map<string, string[]>();
  const published: Usage[] = [];
  let clock: Instant = START;
  let names = 0;
  const name = (kind: string) => `${kind}-${++names}`;
  const lotsOf = (id: string) => lots.get(id) ?? [];

  const moves: readonly (readonly [weight: number, move: (id: string) => Promise<unknown>])[] = [
    [6, grant],
    [2, withdraw],
    [2, take],
    [2, topUp],
    [1, voices],
    [1, pass],
  ];

  return {
    async open(id: string): Promise<void> {
      const timeZone = random.pick(ZONES);
      const threshold = BigInt(random.whole(3)) * CREDIT;
      if (random.chance(0.4)) {
        await openSubscriber(books, id, {
          ...{ at: clock, timeZone, threshold, voices: random.whole(3) },
          renewal: random.pick(["first_of_month", "day_of_month"]),
        });
      } else await openAccount(books, id, { at: clock, timeZone, threshold });
      await giveCard(books, id, clock);
      if (ids.length % 3 !== 0) {
        for (const window of BUDGET_WINDOWS) {
          await setBudgetOf(books, id, "model", { window, at: clock });
        }
      }
      ids.push(id);
    },
    async step(n: number): Promise<void> {
      clock += random.pick([MINUTE, 60 * MINUTE, 7 * 60 * MINUTE, 2 * DAY, 9 * DAY]);
      for (let moved = 0; moved < 4; moved += 1) {
        await random.pickWeighted(moves)(random.pick(ids));
      }
      await publish();
      await metering.meter(clock);
      if (n % 3 === 2) await schedule();
    },
    async close(): Promise<void> {
      await publisher.close();
      await raw.disconnect();
    },
  };

  async function grant(id: string): Promise<void> {
    const lotId = name("lot");
    lots.set(id, [...lotsOf(id), lotId]);
    const life = random.pick([null, 60 * MINUTE, DAY, 20 * DAY]);
    await grantCredits(
      database,
      toAccountId(id),
      {
        ...{ lotId, credits: BigInt(random.between(1, 40)) * CREDIT, reference: "a grant" },
        source: random.pick(["promotion", "adjustment"]),
        end: life === null ? { kind: "usual" } : { kind: "at", at: clock + life },
      },
      clock,
    );
    await changeHold(books, askedHold(id, lotId, CREDIT, { partial: true }), clock);
  }

  async function withdraw(id: string): Promise<void> {
    const lotId = lotsOf(id).at(-1 - random.whole(2));
    if (lotId === undefined) return;
    const credits = random.chance(0.5) ? null : CREDIT;
    const at = { accountId: toAccountId(id), now: clock };
    await withdrawLot(database, at, { lotId, credits, reference: name("withdrawn") });
  }

  async function take(id: string): Promise<void> {
    const credits = BigInt(random.between(1, 5)) * CREDIT;
    const at = { accountId: toAccountId(id), now: clock };
    await takeCredits(database, at, { credits, reference: name("correction") });
  }

  async function topUp(id: string): Promise<void> {
    const paymentId = `manual:${name("paid")}`;
    await paidTopUp(books, id, clock, { paymentId });
    if (random.chance(0.4)) await metering.meter(clock);
    if (random.chance(0.3)) return;
    await postRefund(database, {
      ...{ accountId: toAccountId(id), paymentId, refundId: name("refund"), now: clock },
      kind: random.pick(["refund", "chargeback"]),
      amount: random.pick([1_000n, 333n]),
    });
  }

  async function voices(id: string): Promise<void> {
    await changeSubscription(
      database,
      { accountId: toAccountId(id), now: clock, by: "test" },
      (context) => decideAddOn({ addOnId: "voice", units: random.whole(4) }, context),
    );
  }

  async function pass(): Promise<void> {
    clock += random.whole(60) * MINUTE;
  }

  /** Usage of all kinds: fit for metering, repeats, conflicts, and unfit. */
  async function publish(): Promise<void> {
    const usages = Array.from({ length: random.between(0, 30) }, () => {
      if (published.length === 0 || random.chance(0.85)) return newUsage();
      const again = random.pick(published);
      return random.chance(0.7) ? again : { ...again, source: "another" };
    });
    published.push(...usages);
    if (usages.length > 0) await publisher.publish(usages);
    if (random.chance(0.3)) {
      const message = { key: "junk", value: Buffer.from("not usage") };
      await raw.send({ topic: TOPICS.usageEvents, messages: [message] });
    }
  }

  function newUsage(): Usage {
    const accountId = random.pick(ids);
    return {
      ...{ eventId: name("event"), accountId, occurredAt: occurred() },
      quantity: random.pick([0n, 1n, 2n, 3n, 40n]),
      ...(random.chance(0.05) ? { meter: "unknown" } : {}),
      ...(random.chance(0.03) ? { accountId: "nobody" } : {}),
      ...(random.chance(0.1) ? { dimensions: { model: "one" } } : {}),
      ...(names % 4 === 0 ? { holdId: lotsOf(accountId).at(-1) ?? "none" } : {}),
      ...(names % 5 === 0 ? { quantities: { byte: BigInt(names % 7) } } : {}),
    };
  }

  function occurred(): Instant {
    return clock + random.pick([0, -MINUTE, -2 * 60 * MINUTE, -3 * DAY, -50 * DAY, DAY]);
  }

  async function schedule(): Promise<void> {
    await recordUsageComplete(database, clock);
    const run = { clock, completeUntil: clock - 15 * MINUTE, noticeWithinMs: 7 * DAY };
    for await (const _ of runSchedule(database, run));
  }
}

/** Meters what the topic contains, as if at one instant, in transactions of a few messages. */
async function openMetering({ database }: Books, kafka: Kafka) {
  const decoder = openUsageDecoder(openRegistry(readSettings(process.env).registry));
  const readRates = ratesReader();
  const admin = kafka.admin();
  await admin.connect();
  const lows = (await readPartitionEnds(admin)).map(
    ({ partition, low }) => [partition, low] as const,
  );
  await startOffsets(database, USAGE_READER, new Map(lows));

  async function debit(
    partition: number,
    messages: readonly KafkaMessage[],
    range: { from: bigint; to: bigint },
    now: Instant,
  ): Promise<void> {
    await decoder.learn(messages.map(({ value }) => value));
    const batch = {
      ...{ topic: TOPICS.usageEvents, partition, messages },
      ...{ fetchedFrom: range.from, nextOffset: range.to, highWatermark: range.to },
    };
    const decoded = decodeMessages([batch], { decoder, now, window: DEFAULT_WINDOW });
    const usage = { reader: USAGE_READER, now, ...decoded, expectRepeats: false };
    await debitUsage(database, readRates, usage);
  }

  return {
    async meter(now: Instant): Promise<void> {
      const places = await readOffsets(database, USAGE_READER);
      const ends = await readPartitionEnds(admin);
      const ranges = ends.map(
        ({ partition, high }) =>
          [partition, { from: places.get(partition) ?? high, to: high }] as const,
      );
      await readRanges(kafka, {
        topic: TOPICS.usageEvents,
        ranges: new Map(ranges),
        signal: new AbortController().signal,
        async onBatch({ partition, fetchedFrom: from, messages, nextOffset }) {
          const half = messages[messages.length >> 1];
          const middle = half === undefined ? nextOffset : BigInt(half.offset);
          const before = messages.filter(({ offset }) => BigInt(offset) < middle);
          const rest = messages.slice(before.length);
          if (middle > from) await debit(partition, before, { from, to: middle }, now);
          if (nextOffset > middle) {
            await debit(partition, rest, { from: middle, to: nextOffset }, now);
          }
        },
      });
    },
    close: () => admin.disconnect(),
  };
}
