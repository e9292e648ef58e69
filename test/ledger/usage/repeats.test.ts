/** The same events again, across batches and within one, while other writers move their accounts. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { uuidV7 } from "../../../shared/core/text/uuid.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { repeatedKeys } from "../../../shared/ledger/usage/repeated-keys.ts";
import {
  type Books,
  connect,
  openAccount,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { clashingId } from "../../support/books/clashing-id.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

const NOW = Date.now();

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
});

afterAll(() => books?.close());

describe("keys that come again in a batch", () => {
  const bytesOf = (keys: readonly (readonly number[])[]) => Uint8Array.from(keys.flat());

  test("are found with the place where they came first, among those asked for", () => {
    const someKey = fc.array(fc.constantFrom(0, 1), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(someKey, { maxLength: 12 }), fc.nat(4), (few, from) => {
        const keys = few.map(([a = 0, b = 0, c = 0]) => [...Array(13).fill(7), a, b, c]);
        const places = [...keys.keys()].slice(from);
        const expected = new Map<number, number>();
        for (const place of places) {
          const first = places.find((one) => String(keys[one]) === String(keys[place])) ?? place;
          if (first !== place) expected.set(place, first);
        }
        expect(repeatedKeys({ keys: bytesOf(keys), places })).toEqual(expected);
      }),
    );
  });

  test("are found among 100,000, and none of the others", () => {
    const count = 100_000;
    const keys = new Uint8Array(16 * (count + 2));
    for (let place = 0; place < count; place += 1) {
      keys.set(
        Buffer.from(
          uuidV7(NOW, place % 4096, Buffer.from(String(place).padStart(8, "0"))).replaceAll(
            "-",
            "",
          ),
          "hex",
        ),
        place * 16,
      );
    }
    keys.copyWithin(16 * count, 16 * 5, 16 * 6);
    keys.copyWithin(16 * (count + 1), 16 * (count - 1), 16 * count);
    const places = Array.from({ length: count + 2 }, (_, place) => place);
    expect(repeatedKeys({ keys, places })).toEqual(
      new Map([
        [count, 5],
        [count + 1, count - 1],
      ]),
    );
  });
});

function use(accountId: string, eventId: string, more: Partial<Usage> = {}): Usage {
  return { accountId, eventId, quantity: 1n, occurredAt: NOW, ...more };
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    index % 3 === 0 ? `request ${randomUUID()}` : randomUUID(),
  );
}

test("repeats of batches before and of the same one are dropped, and conflicts kept aside", async () => {
  await openAccount(books, "again", { lots: [{ credits: 1_000n }] });
  await openAccount(books, "else", { lots: [{ credits: 1_000n }] });
  const batches = usageBatches(books, "again");
  const [before, now] = [ids(30), ids(30)];
  const all = (names: readonly string[]) => names.map((id) => use("again", id));
  expect(await batches.debit(all(before))).toMatchObject({ metered: 30, repeats: 0 });
  const mixed = [
    ...[...all(now), ...all(before.slice(0, 10)), ...all(now.slice(0, 5))],
    ...[...all(before.slice(0, 3)), use("else", now[0] ?? "")],
    ...[use("else", now[1] ?? ""), use("else", now[1] ?? "", { quantity: 2n })],
  ];
  expect(await batches.debit(mixed)).toMatchObject({ metered: 32, repeats: 18, deadLetters: 1 });
  expect(await batches.debit(mixed)).toMatchObject({ metered: 0, repeats: 50, deadLetters: 1 });
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("repeats within a batch cost no second try", async () => {
  await openAccount(books, "once", { lots: [{ credits: 1_000n }] });
  const event = use("once", randomUUID());
  const batch = usageBatches(books, "once").next([event, use("once", randomUUID()), event]);
  let tries = 0;
  const readRates = ratesReader();
  const outcome = await debitUsage(
    books.database,
    (transaction) => {
      tries += 1;
      return readRates(transaction);
    },
    batch,
  );
  expect([outcome.metered, outcome.repeats, tries]).toEqual([2, 1, 1]);
});

test.each([
  { when: "before its accounts are written", sql: /^\s*UPDATE account\b/ },
  { when: "before its keys are looked up", sql: /^\s*SELECT replace\(event_key::text/ },
  { when: "after its keys were looked up", sql: /AS named \(event_id, account_id, source/ },
])(
  "a batch of repeats that loses a race to one with the same events, $when, meters none twice",
  async ({ sql }) => {
    const accountId = `race-${sql.source.length}`;
    await openAccount(books, accountId, { lots: [{ credits: 1_000n }] });
    const [known, fresh] = [ids(10), ids(10)].map((of) => of.map((id) => use(accountId, id)));
    if (known === undefined || fresh === undefined) throw new Error("no events");
    await usageBatches(books, `${accountId}-before`).debit(known);
    const batch = usageBatches(books, accountId).next([...known, ...fresh, ...fresh]);
    const proxy = await openPostgresProxy(books.url);
    const database = connect(proxy.url);
    let isOvertaken = false;
    void proxy.catchNext(
      ({ sql: text }) => sql.test(text),
      async () => {
        isOvertaken = true;
        await usageBatches(books, `${accountId}-first`).debit(fresh.slice(0, 4));
      },
    );
    const expecting = { ...batch, expectRepeats: true };
    const outcome = await debitUsage(database, ratesReader(), expecting);
    await database.end();
    await proxy.close();
    expect(isOvertaken).toBe(true);
    expect(outcome).toMatchObject({ metered: 6, repeats: 24, deadLetters: 0 });
    expect(await brokenInvariants(books.database)).toEqual([]);
  },
);

// Last: where keys have clashed, every event is looked up.
test.each([
  { where: "in one batch", together: true },
  { where: "of a batch before", together: false },
])("identities that clash are metered once each beside repeats, $where", async ({ together }) => {
  const accountId = `beside-${together}`;
  await openAccount(books, accountId);
  const batches = usageBatches(books, accountId);
  const first = use(accountId, randomUUID());
  const other = use(accountId, clashingId(accountId, first.eventId, "eu"), { source: "eu" });
  const more = ids(10).map((id) => use(accountId, id));
  if (!together) await batches.debit([first]);
  const outcome = await batches.debit([first, other, first, other, ...more, ...more.slice(0, 2)]);
  expect(outcome).toMatchObject({
    metered: together ? 12 : 11,
    repeats: together ? 4 : 5,
    deadLetters: 0,
  });
  expect(await batches.debit([other, first, ...more])).toMatchObject({ metered: 0, repeats: 12 });
  expect(await brokenInvariants(books.database)).toEqual([]);
});
