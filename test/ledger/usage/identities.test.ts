import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { uuidV7 } from "../../../shared/core/text/uuid.ts";
import { eventAt } from "../../../shared/core/usage/usage-columns.ts";
import type { EventIdentity, ReceivedEvent } from "../../../shared/core/usage/usage-event.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { restoreRecord } from "../../../shared/ledger/proof/restore-records.ts";
import { columnKeys } from "../../../shared/ledger/usage/column-keys.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { eventKeys, keyAt } from "../../../shared/ledger/usage/event-key.ts";
import { findMeteredEvent } from "../../../shared/ledger/usage/explain.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { clashingId } from "../../support/books/clashing-id.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { toEvent, type Usage, usageBatches } from "../../support/books/usage-batches.ts";
import { columnsOf } from "../../support/core/columns-of.ts";

const NOW = Date.now();

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
});

afterAll(() => books?.close());

function use(accountId: string, eventId: string, more: Partial<Usage> = {}): Usage {
  return { accountId, eventId, quantity: 1n, occurredAt: NOW, ...more };
}

function keyOf(identity: EventIdentity): string {
  return keyAt(eventKeys([identity]), 0);
}

describe("an event's key", () => {
  const uuid = uuidV7(NOW, 1, Buffer.alloc(8, 7));

  test("begins as its UUID does, so that ids that grow with time keep the index warm", () => {
    const key = keyOf({ accountId: "acme", source: "", eventId: uuid });
    expect(key.slice(0, 16)).toBe(uuid.replaceAll("-", "").slice(0, 16));
  });

  test("differs by account, by source, and by anything in the id", () => {
    const keys = [
      { accountId: "acme", source: "", eventId: uuid },
      { accountId: "bolt", source: "", eventId: uuid },
      { accountId: "acme", source: "eu", eventId: uuid },
      { accountId: "acme", source: "", eventId: uuid.toUpperCase() },
      { accountId: "acme", source: "", eventId: "request 1" },
      { accountId: "acme", source: "", eventId: "request 2" },
    ].map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });
});

test("the keys of events in columns are those of the single events", () => {
  const ids = fc.oneof(fc.uuid(), fc.constantFrom("request 1", "request 2", "x".repeat(256)));
  const event = fc.record({
    eventId: ids,
    accountId: fc.constantFrom("acme", "bolt", "cord"),
    source: fc.constantFrom("", "eu", "us"),
    quantity: fc.constantFrom(1n, 2n ** 60n),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), (usage) => {
      const events = usage.map((one, at) => toEvent(one, { partition: 1, offset: BigInt(at) }));
      expect(columnKeys(columnsOf(events))).toEqual(eventKeys(events));
    }),
  );
});

describe("identities that have one key", () => {
  test.each([
    { how: "one after the other", together: false },
    { how: "in one batch", together: true },
  ])("are metered once each, $how", async ({ together }) => {
    const accountId = `clash-${together}`;
    await openAccount(books, accountId);
    const batches = usageBatches(books, accountId);
    const first = use(accountId, randomUUID());
    const other = use(accountId, clashingId(accountId, first.eventId, "eu"), { source: "eu" });
    expect(keyOf({ ...first, source: "" })).toBe(keyOf({ ...other, source: "eu" }));
    if (together) {
      expect(await batches.debit([first, other])).toMatchObject({ metered: 2, repeats: 0 });
    } else {
      for (const event of [first, other]) {
        expect(await batches.debit([event])).toMatchObject({ metered: 1, repeats: 0 });
      }
    }
    for (const event of [other, first]) {
      expect(await batches.debit([event])).toMatchObject({ metered: 0, repeats: 1 });
    }
    const changed = { ...other, quantity: 2n };
    expect(await batches.debit([changed])).toMatchObject({ metered: 0, deadLetters: 1 });
    await inTransaction(books.database, async (transaction) => {
      for (const event of [first, other]) {
        const named = { source: null, ...event, accountId: toAccountId(accountId) };
        expect(await findMeteredEvent(transaction, named)).toMatchObject({
          eventId: event.eventId,
        });
      }
    });
    expect(await brokenInvariants(books.database)).toEqual([]);
  });
});

describe("a record that is restored", () => {
  const restore = (event: ReceivedEvent, at: { start: bigint; version: bigint }) =>
    restoreRecord(
      books.database,
      null,
      {
        ...{ event, lineCredits: [1n], givenBack: 0n, ...at },
        drawnAt: Date.UTC(2001, 1, 3),
      },
      {
        ...{ accountId: event.accountId, difference: event.eventId, what: "record_restored" },
        ...{ by: "test", at: NOW, detail: {} },
      },
    );
  const lose = async ({ accountId, eventId }: Usage) => {
    await books.database.query("DELETE FROM usage_record WHERE account_id = $1 AND event_id = $2", [
      accountId,
      eventId,
    ]);
  };

  test("is a repeat when it comes again, though its identity was lost and its month has no partition", async () => {
    await openAccount(books, "restored");
    const batches = usageBatches(books, "restored");
    const used = use("restored", randomUUID());
    const event = eventAt(batches.next([used]).columns, 0);
    expect(await restore(event, { start: 0n, version: 2n })).toBe(true);
    expect(await batches.debit([])).toMatchObject({ metered: 0 });
    const again = usageBatches(books, "restored-again");
    expect(await again.debit([used])).toMatchObject({ metered: 0, repeats: 1 });
  });

  test("that clashes leaves the identity whose key it has", async () => {
    const accountId = "clash-restored";
    await openAccount(books, accountId);
    const batches = usageBatches(books, accountId);
    const first = use(accountId, randomUUID());
    const other = use(accountId, clashingId(accountId, first.eventId, "eu"), { source: "eu" });
    const batch = batches.next([other]);
    const event = eventAt(batch.columns, 0);
    const later = usageBatches(books, `${accountId}-2`);
    expect(await later.debit([first])).toMatchObject({ metered: 1 });
    expect(await debitUsage(books.database, ratesReader(), batch)).toMatchObject({ metered: 1 });
    await lose(other);
    expect(await restore(event, { start: 1n, version: 3n })).toBe(true);
    for (const used of [first, other]) {
      expect(await later.debit([used])).toMatchObject({ metered: 0, repeats: 1 });
    }
  });
});

describe("when a generation of identities ends", () => {
  // Where keys have clashed, every event is looked up.
  beforeAll(async () => {
    await books.close();
    books = await openBooks();
    await setPrice(books, "call", 1n);
  });

  const nextGeneration = () =>
    books.database.query("SELECT begin_usage_generation(to_timestamp($1 / 1000.0), 'infinity')", [
      Date.now(),
    ]);

  test("repeats of it are found until the next one ends, and conflicts too", async () => {
    await openAccount(books, "aged");
    const batches = usageBatches(books, "aged");
    const events = [
      use("aged", uuidV7(NOW, 1, Buffer.alloc(8, 1))),
      use("aged", randomUUID()),
      use("aged", "request 1"),
    ];
    expect(await batches.debit(events)).toMatchObject({ metered: 3 });
    await nextGeneration();
    for (const event of events) {
      expect(await batches.debit([event])).toMatchObject({ metered: 0, repeats: 1 });
    }
    const [changed] = events.map((event) => ({ ...event, quantity: 2n }));
    expect(await batches.debit(changed === undefined ? [] : [changed])).toMatchObject({
      deadLetters: 1,
    });
    expect(await batches.debit([use("aged", "request 2")])).toMatchObject({ metered: 1 });
    await nextGeneration();
    expect(await batches.debit([use("aged", "request 2")])).toMatchObject({ repeats: 1 });
  });

  test("repeats are found on pages once identities are gone, and conflicts too", async () => {
    await openAccount(books, "forgotten");
    const batches = usageBatches(books, "forgotten");
    const events = [
      use("forgotten", uuidV7(NOW, 1, Buffer.alloc(8, 2))),
      use("forgotten", randomUUID()),
      use("forgotten", "request 1"),
      use("forgotten", "beyond doubles", { quantity: 2n ** 60n }),
    ];
    expect(await batches.debit(events)).toMatchObject({ metered: 4 });
    await nextGeneration();
    await nextGeneration();
    expect(await batches.debit(events)).toMatchObject({ metered: 0, repeats: 4 });
    const changed = events.map((event) => ({ ...event, quantity: 2n }));
    expect(await batches.debit(changed)).toMatchObject({ metered: 0, deadLetters: 4 });
    expect(await batches.debit([use("forgotten", "request 2")])).toMatchObject({ metered: 1 });
  });

  test("an event of it can still be explained", async () => {
    const accountId = toAccountId("aged");
    const found = await inTransaction(books.database, (transaction) =>
      findMeteredEvent(transaction, { accountId, eventId: "request 2", source: null }),
    );
    expect(found).toMatchObject({ eventId: "request 2" });
  });

  test("it waits for a batch that is being metered, so that nothing is written behind it", async () => {
    await openAccount(books, "racing");
    const batches = usageBatches(books, "racing");
    const event = use("racing", randomUUID());
    const [reading, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const readRates = ratesReader();
    const metering = debitUsage(
      books.database,
      async (transaction) => {
        reading.resolve();
        await go.promise;
        return readRates(transaction);
      },
      batches.next([event]),
    );
    await reading.promise;
    const begun = nextGeneration().then(() => "begun");
    expect(await Promise.race([begun, pause(300).then(() => "waits")])).toBe("waits");
    go.resolve();
    expect(await metering).toMatchObject({ metered: 1 });
    expect(await begun).toBe("begun");
    expect(await batches.debit([event])).toMatchObject({ repeats: 1 });
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
