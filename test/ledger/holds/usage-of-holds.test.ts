import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { readAccounts } from "../../../shared/ledger/books/read-accounts.ts";
import { updateAccounts } from "../../../shared/ledger/books/update-accounts.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { endExpiredHolds } from "../../../shared/ledger/holds/end-expired-holds.ts";
import { readHold } from "../../../shared/ledger/holds/read-holds.ts";
import { heldAfter, takeFromHolds, writeTaken } from "../../../shared/ledger/holds/take-usage.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { eventsWithId } from "../../../shared/ledger/usage/explain.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { askedHold, changeHold, TEN_MINUTES } from "../../support/books/holds.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";
import { toldOf } from "./naive-holds.ts";

/** Usage that names a hold: metered as any other, and taken from the hold if that is open. */
const AT = Date.now();

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await setPrice(books, "token", 2n);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

afterAll(() => books?.close());

async function openWith(id: string, credits = 100n) {
  await openAccount(books, id, { lots: [{ credits }] });
  return { accountId: toAccountId(id), holdId: "run" };
}

async function accountOf(id: string) {
  const account = (await readAccounts(books.database, [id])).get(id);
  if (account === undefined) throw new Error(`there is no account ${id}`);
  return account;
}

const holdOf = (id: string, holdId = "run") =>
  readHold(books.database, { accountId: toAccountId(id), holdId });

function use(accountId: string, eventId: string, quantity: bigint, given: Partial<Usage> = {}) {
  return { accountId, eventId, quantity, occurredAt: AT, holdId: "run", ...given };
}

/** The hold that the events of an id name, and whether it took them. */
async function recordedOf(accountId: string, eventId: string) {
  const records = await inTransaction(books.database, (transaction) =>
    eventsWithId(transaction, toAccountId(accountId), eventId),
  );
  return records.map(({ holdId, holdUsed }) => [holdId, holdUsed]);
}

test("several events use one hold; what exceeds it is drawn, and repeats change nothing", async () => {
  await openWith("several");
  await changeHold(books, askedHold("several", "run", 60n));
  const { debit } = usageBatches(books, "several");
  const first = [
    use("several", "e1", 10n),
    use("several", "e2", 5n, { quantities: { token: 5n } }),
  ];
  await debit(first);
  expect(await holdOf("several")).toMatchObject({ status: "open", used: 25n });
  expect(await accountOf("several")).toMatchObject({ position: 25n, held: 35n });
  const again = await debit([...first, use("several", "other", 3n, { holdId: null })]);
  expect(again).toMatchObject({ metered: 1, repeats: 2 });
  expect(await accountOf("several")).toMatchObject({ position: 28n, held: 35n });
  await debit([use("several", "e3", 40n)]);
  expect(await holdOf("several")).toMatchObject({ status: "open", used: 65n });
  expect(await accountOf("several")).toMatchObject({ position: 68n, held: 0n });
  expect(await toldOf(books, "several")).toMatchObject({ problems: [], held: 0n, records: 3 });
  expect(await recordedOf("several", "e2")).toEqual([["run", true]]);
  expect(await recordedOf("several", "other")).toEqual([[null, null]]);
});

test("a captured hold takes usage under way, and ends when it is used up", async () => {
  const of = await openWith("captured");
  await changeHold(books, askedHold("captured", "run", 60n));
  await changeHold(books, { kind: "capture", ...of, credits: 20n });
  const { debit } = usageBatches(books, "captured");
  await debit([use("captured", "e1", 15n)]);
  expect(await accountOf("captured")).toMatchObject({ position: 15n, held: 5n });
  await debit([use("captured", "e2", 5n), use("captured", "e3", 1n)]);
  expect(await holdOf("captured")).toMatchObject({ status: "captured", used: 21n });
  expect((await holdOf("captured"))?.endedAt).not.toBeNull();
  await debit([use("captured", "e4", 1n)]);
  expect(await holdOf("captured")).toMatchObject({ used: 21n });
  expect(await recordedOf("captured", "e4")).toEqual([["run", false]]);
});

describe("is metered, and changes no hold, where it names", () => {
  test("one that has ended", async () => {
    const of = await openWith("ended");
    await changeHold(books, askedHold("ended", "run", 60n));
    await changeHold(books, { kind: "release", ...of });
    await usageBatches(books, "ended").debit([use("ended", "e1", 10n)]);
    expect(await holdOf("ended")).toMatchObject({ status: "released", used: 0n });
    expect(await accountOf("ended")).toMatchObject({ position: 10n, held: 0n, holdChanges: 2n });
    expect(await recordedOf("ended", "e1")).toEqual([["run", false]]);
  });

  test("one whose time is over, which it ends", async () => {
    await openWith("over");
    await changeHold(books, askedHold("over", "run", 60n), Date.now() - TEN_MINUTES);
    await usageBatches(books, "over").debit([use("over", "e1", 10n)]);
    expect(await holdOf("over")).toMatchObject({ status: "expired", used: 0n });
    expect(await accountOf("over")).toMatchObject({ position: 10n, held: 0n });
    expect(await toldOf(books, "over")).toMatchObject({ problems: [], records: 2 });
  });

  test("one that nobody has made, or that is another account's", async () => {
    await openWith("nameless");
    await openWith("owner");
    await changeHold(books, askedHold("owner", "run", 60n));
    await usageBatches(books, "nameless").debit([
      use("nameless", "e1", 10n),
      use("nameless", "e2", 10n, { holdId: "no such" }),
    ]);
    expect(await accountOf("nameless")).toMatchObject({ position: 20n, held: 0n });
    expect(await accountOf("owner")).toMatchObject({ position: 0n, held: 60n, holdChanges: 1n });
    expect(await recordedOf("nameless", "e1")).toEqual([["run", false]]);
  });
});

test("the same event with another hold, or with none, is a conflict", async () => {
  await openWith("conflict");
  for (const id of ["run", "other"]) await changeHold(books, askedHold("conflict", id, 20n));
  const { debit } = usageBatches(books, "conflict");
  await debit([use("conflict", "e1", 5n)]);
  const outcome = await debit([
    use("conflict", "e1", 5n, { holdId: "other" }),
    use("conflict", "e1", 5n, { holdId: null }),
  ]);
  expect(outcome).toMatchObject({ metered: 0, repeats: 0, deadLetters: 2 });
  const { rows } = await books.database.query(
    "SELECT detail FROM dead_letter WHERE account_id = 'conflict' ORDER BY kafka_offset",
  );
  expect(rows.map(({ detail }) => detail)).toEqual([
    "metered before: hold_id is other, was run",
    "metered before: hold_id is none, was run",
  ]);
  expect(await accountOf("conflict")).toMatchObject({ position: 5n, held: 35n });
});

test("event by event, where more happens than drawing, it is the same", async () => {
  await openWith("crossing", 100n);
  await changeHold(books, askedHold("crossing", "run", 90n));
  const { debit } = usageBatches(books, "crossing");
  // The second one crosses the threshold of 0.
  const outcome = await debit([
    use("crossing", "e1", 50n),
    use("crossing", "e2", 50n),
    use("crossing", "e3", 1n, { holdId: "no such" }),
  ]);
  expect(outcome.lowBalances).toBe(1);
  expect(await holdOf("crossing")).toMatchObject({ used: 100n });
  expect(await accountOf("crossing")).toMatchObject({ position: 101n, held: 0n });
  expect(await recordedOf("crossing", "e2")).toEqual([["run", true]]);
  expect(await recordedOf("crossing", "e3")).toEqual([["no such", false]]);
});

test("a hold that is made after the batch has looked for it in vain is taken from", async () => {
  const { accountId, holdId } = await openWith("made last");
  const account = await accountOf("made last");
  const read = new Map([[accountId, account]]);
  const drawn = { ...account, position: 15n };
  const now = Date.now();
  const used = await inTransaction(books.database, async (transaction) => {
    const credits = [{ accountId, holdId, credits: 15n }];
    const taking = await takeFromHolds(transaction, credits, read, now);
    await changeHold(books, askedHold("made last", "run", 60n));
    const others = await updateAccounts(transaction, [drawn], read, heldAfter(taking));
    expect(others).toEqual(["made last"]);
    const taken = await writeTaken(transaction, taking, others ?? [], now);
    await taken.written;
    return taken.used;
  });
  expect(used).toEqual(new Map([["made last", new Set(["run"])]]));
  expect(await holdOf("made last")).toMatchObject({ status: "open", used: 15n });
  expect(await accountOf("made last")).toMatchObject({ held: 45n, holdChanges: 2n });
  expect((await toldOf(books, "made last")).problems).toEqual([]);
  // The position is put back: nothing was metered.
  await books.database.query("UPDATE account SET position = 0 WHERE account_id = 'made last'");
});

describe("a hold that changes after the account was read is taken from as it is then, in the same try:", () => {
  const capture = { kind: "capture", credits: 20n } as const;
  test.each([
    ["made", null, null, { status: "open", used: 15n }, { held: 45n, holdChanges: 2n }],
    [
      "given back",
      "release",
      null,
      { status: "released", used: 0n },
      { held: 0n, holdChanges: 2n },
    ],
    [
      "captured",
      "capture",
      capture,
      { status: "captured", used: 15n },
      { held: 5n, holdChanges: 3n },
    ],
  ] as const)("%s", async (name, kind, given, hold, account) => {
    const id = `meanwhile ${name}`;
    const of = await openWith(id);
    await openWith(`${id}, beside`);
    const make = (account: string) => changeHold(books, askedHold(account, "run", 60n));
    if (kind !== null) await make(id);
    await make(`${id}, beside`);
    const readRates = ratesReader();
    let tries = 0;
    const batch = usageBatches(books, id).next([
      use(id, "e1", 15n),
      use(`${id}, beside`, "e1", 15n),
    ]);
    await debitUsage(
      books.database,
      async (transaction) => {
        // The account's row was read by a statement before.
        const rates = await readRates(transaction);
        tries += 1;
        if (kind === null) await make(id);
        else
          await changeHold(
            books,
            given === null ? { kind: "release", ...of } : { ...of, ...given },
          );
        return rates;
      },
      batch,
    );
    expect(tries).toBe(1);
    expect(await holdOf(id)).toMatchObject(hold);
    expect(await accountOf(id)).toMatchObject({ position: 15n, ...account });
    expect(await accountOf(`${id}, beside`)).toMatchObject({ held: 45n, holdChanges: 2n });
    expect((await toldOf(books, id)).problems).toEqual([]);
    expect(await recordedOf(id, "e1")).toEqual([["run", hold.used > 0n]]);
  });
});

test("holds made, used and ended meanwhile by others lose nothing, and metering runs nothing again", async () => {
  await openWith("busy", 1_000_000n);
  const { next } = usageBatches(books, "busy");
  const readRates = ratesReader();
  const runs = Array.from({ length: 40 }, (_, at) => at);
  await Promise.all([
    (async () => {
      for (const at of runs) {
        await changeHold(books, askedHold("busy", `run-${at}`, 100n));
        if (at % 3 === 0) {
          const of = { accountId: toAccountId("busy"), holdId: `run-${at}` };
          await changeHold(books, { kind: "release", ...of });
        }
      }
    })(),
    (async () => {
      for (const at of runs) {
        const batch = next([
          use("busy", `a-${at}`, 7n, { holdId: `run-${at}` }),
          use("busy", `b-${at}`, 7n, { holdId: `run-${at >> 1}` }),
        ]);
        expect((await debitUsage(books.database, readRates, batch)).metered).toBe(2);
      }
    })(),
  ]);
  const { rows } = await books.database.query(
    `SELECT hold.hold_id, used,
            (SELECT coalesce(sum(credits), 0) FROM usage_record AS record
             WHERE record.account_id = 'busy' AND record.hold_id = hold.hold_id AND hold_used)::bigint AS taken
     FROM hold WHERE account_id = 'busy'`,
  );
  expect(rows.filter(({ used, taken }) => used !== taken)).toEqual([]);
  expect((await accountOf("busy")).position).toBe(560n);
  expect((await toldOf(books, "busy")).problems).toEqual([]);
  while ((await endExpiredHolds(books.database, Date.now() + 2 * TEN_MINUTES)) > 0);
  expect((await accountOf("busy")).held).toBe(0n);
});
