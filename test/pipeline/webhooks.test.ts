/**
 * From a record on a billing topic to a receiver, through the service as a process:
 * - signed, once, in order for each account, also while the receiver fails
 * - kill -9 between the request and its record: sent again, with the same id
 * - an endpoint that hangs holds up no other
 */
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TOPICS } from "../../shared/core/text/topics.ts";
import type { EventType } from "../../shared/core/webhooks/event-types.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openPublisher, type Publisher } from "../../shared/kafka/publish/publisher.ts";
import { createEndpoint, readEndpoint } from "../../shared/ledger/webhooks/endpoints.ts";
import { listDeliveries, sendAgain } from "../../shared/ledger/webhooks/list-deliveries.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import {
  MISBEHAVIOUR,
  openReceiver,
  type Received,
} from "../support/processes/misbehaving-receiver.ts";
import { TURN_MS } from "../support/processes/top-up-process.ts";
import { startWebhooks, takeWebhookGroups } from "../support/processes/webhooks-process.ts";

const TEST_MS = 120_000;
const WITHIN_MS = 60_000;
const CREDITS: readonly EventType[] = ["billing.credits"];
const kafka = testKafka();
let giveBack: () => Promise<void>;
let publisher: Publisher;
let books: Books;

beforeAll(async () => {
  giveBack = await takeWebhookGroups(kafka);
  publisher = openPublisher(kafka, openRegistry(readSettings(process.env).registry));
}, TURN_MS);

afterAll(async () => {
  await publisher?.close();
  await giveBack?.();
});

beforeEach(async () => {
  books = await openBooks();
  return () => books.close();
});

async function endpointAt(url: string) {
  const asked = { url, types: CREDITS, by: "test", now: Date.now() };
  const created = await createEndpoint(books.database, asked);
  if (created === null) throw new Error("there are too many endpoints");
  return created;
}

/** Publishes grants with these sequences. */
async function publish(account: string, ...sequences: readonly number[]): Promise<void> {
  await publisher.publish(
    sequences.map((number) => {
      const sequence = BigInt(number);
      const what = { account_id: account, sequence, kind: "grant", credits: 5n, balance: 5n };
      const record = { ...what, lot_id: null, reference: "", posted_at: Date.now(), due_at: null };
      return { topic: TOPICS.credits, key: account, sequence, record };
    }),
  );
}

/** What came of these accounts: the topic has events of other tests, too. */
const ofAccounts = (received: readonly Received[], ...accounts: readonly string[]) =>
  received
    .map((one) => ({ ...one, event: JSON.parse(one.body) as Event }))
    .filter(({ event }) => accounts.includes(event.account_id));

interface Event {
  readonly account_id: string;
  readonly sequence: string;
}

const sequencesOf = (received: readonly Received[], account: string) =>
  ofAccounts(received, account).map(({ event }) => Number(event.sequence));

const isDelivered = async (endpointId: string, count: number, ...accounts: readonly string[]) => {
  const listed = await listDeliveries(books.database, endpointId, { last: null, limit: 1_000 });
  const delivered = listed.filter(({ deliveredAt }) => deliveredAt !== null);
  return delivered.filter(({ accountId }) => accounts.includes(accountId)).length === count;
};

test(
  "what is published arrives signed, once and in order for each account, though the receiver fails in between",
  async () => {
    const accounts = [`a${Date.now()}`, `b${Date.now()}`] as const;
    const failed = new Set<string>();
    const receiver = await openReceiver(({ headers, body }) => {
      const id = headers["webhook-id"] ?? "";
      const isOurs = accounts.some((account) => body.includes(account));
      if (!isOurs || failed.size >= 2 || failed.has(id)) return 200;
      failed.add(id);
      return 500;
    });
    const { endpointId, secret } = await endpointAt(receiver.url);
    const service = startWebhooks(kafka, books.url);
    await service.says(/^delivering webhooks$/, WITHIN_MS);
    await publish(accounts[0], 1, 2, 3);
    await publish(accounts[1], 1, 2);
    // The relay may publish again.
    await publish(accounts[0], 2, 3, 4);
    await eventually("all is delivered", () => isDelivered(endpointId, 6, ...accounts), WITHIN_MS);
    for (const account of accounts) {
      const came = sequencesOf(receiver.received, account);
      expect(came).toEqual(came.toSorted((a, b) => a - b));
    }
    const received = ofAccounts(receiver.received, ...accounts);
    expect(received).toHaveLength(8);
    for (const { body, headers } of received) {
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: CREDITS[0] });
    }
    expect(JSON.stringify(service.log)).not.toContain(secret.slice("whsec_".length));
    const id = received[0]?.headers["webhook-id"] ?? "";
    const sent = () =>
      receiver.received.filter(({ headers }) => headers["webhook-id"] === id).length;
    const before = sent();
    expect(await sendAgain(books.database, endpointId, id, Date.now())).toBe(true);
    await eventually("it comes again", () => sent() === before + 1);
    expect(await service.stop()).toBe(0);
  },
  TEST_MS,
);

test(
  "a service that is killed between the request and its record sends it again, with the same id",
  async () => {
    const account = `k${Date.now()}`;
    const kill = Promise.withResolvers<void>();
    let isFirst = true;
    const receiver = await openReceiver(({ body }) => {
      if (!isFirst || !body.includes(account)) return 200;
      isFirst = false;
      kill.resolve();
      return MISBEHAVIOUR.never;
    });
    const { endpointId } = await endpointAt(receiver.url);
    const killed = startWebhooks(kafka, books.url);
    await killed.says(/^delivering webhooks$/, WITHIN_MS);
    await publish(account, 1, 2);
    await kill.promise;
    await killed.kill();
    // As if the minute of its claim had passed.
    await books.database.query("UPDATE webhook_queue SET next_try_at = now()");
    const other = startWebhooks(kafka, books.url);
    await other.says(/^delivering webhooks$/, WITHIN_MS);
    await eventually("both are delivered", () => isDelivered(endpointId, 2, account), WITHIN_MS);
    expect(sequencesOf(receiver.received, account)).toEqual([1, 1, 2]);
    const came = ofAccounts(receiver.received, account);
    const ids = came.map(({ headers }) => headers["webhook-id"]);
    expect(ids[0]).toBe(ids[1]);
  },
  TEST_MS,
);

test(
  "an endpoint that hangs holds up no other, and says so",
  async () => {
    const accounts = Array.from({ length: 60 }, (_, at) => `h${Date.now()}-${at}`);
    const hanging = await openReceiver(() => MISBEHAVIOUR.never);
    const live = await openReceiver();
    const hangs = await endpointAt(hanging.url);
    await endpointAt(live.url);
    const service = startWebhooks(kafka, books.url);
    await service.says(/^delivering webhooks$/, WITHIN_MS);
    const have = (...names: readonly string[]) =>
      ofAccounts(live.received, ...names).length >= names.length;
    // It takes its time to join its groups.
    const first = `h${Date.now()}-first`;
    await publish(first, 1);
    await eventually("the live one has the first", () => have(first), WITHIN_MS);
    for (const account of accounts) await publish(account, 1);
    await eventually("the live one has all", () => have(...accounts), 14_000);
    await service.says(/^a webhook endpoint fails/, WITHIN_MS);
    // It says so before it is recorded.
    const state = () => readEndpoint(books.database, hangs.endpointId);
    const why = "gave no answer within 15 s";
    await eventually("it is recorded", async () => (await state())?.problem === why, WITHIN_MS);
    expect(await state()).toMatchObject({ pausedAt: null });
    expect(await service.stop()).toBe(0);
  },
  TEST_MS,
);
