import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable, outboxOf } from "../../support/cli/every-table.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { offer } from "../../support/cli/offer.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

let books: Books;
const run = (line: string, url = books.url) =>
  drawdown(words(line), { env: { DATABASE_URL: url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

const THREE_LOTS = [{ credits: 5_000_000n }, { credits: 4_000_000n }, { credits: 2_000_000n }];

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "cli-credits", 1_000_000n);
});
afterAll(() => books.close());

const use = (accountId: string, eventId: string, quantity: bigint) =>
  meterEvents(books, [{ accountId, eventId, meter: "cli-credits", quantity }]);

/** The use of each lot's credits, and its stretch. */
async function usesOf(accountId: string): Promise<string[]> {
  const { items: lots } = await json(`lots ${accountId}`);
  return lots.map((lot: Record<string, string>) =>
    ["used", "expired", "withdrawn", "remaining", "start", "end"]
      .map((field) => Number(lot[field]) / 1_000_000)
      .join(" "),
  );
}

test("everything that remains is withdrawn, and later lots keep their credits", async () => {
  await openAccount(books, "cli-acme", { lots: THREE_LOTS });
  await use("cli-acme", "e-1", 2n);
  const line = "lot withdraw cli-acme cli-acme-lot-1 --reference refund-4";
  const withdrawn = await json(line);
  const entry = {
    sequence: "4",
    kind: "adjustment",
    credits: "-3000000",
    balance: "6000000",
    lot_id: "cli-acme-lot-1",
    reference: "refund-4",
    due_at: expect.stringMatching(/Z$/),
  };
  expect(withdrawn).toEqual({
    outcome: "withdrawn",
    account_id: "cli-acme",
    lot_id: "cli-acme-lot-1",
    credits: "3000000",
    remaining: "0",
    entries: [entry],
    balance: "6000000",
    ended: "0",
    held: "0",
    available: "6000000",
    granted: "8000000",
    position: "2000000",
    threshold: "0",
    low_balance: false,
    crossing: null,
  });
  expect(await usesOf("cli-acme")).toEqual(["2 0 3 0 0 2", "0 0 0 4 2 6", "0 0 0 2 6 8"]);
  expect((await run("lots cli-acme")).stdout).toMatch(
    /^LOT +SOURCE +CREDITS +USED +EXPIRED +WITHDRAWN +LEFT .*\ncli-acme-lot-1 +top_up +5 +2 +0 +3 +0 /,
  );
  expect((await json("entries cli-acme")).items[0]).toMatchObject(entry);
  expect((await outboxOf(books, "cli-acme", "billing.credits")).at(-1)).toMatchObject({
    sequence: "4",
    kind: "adjustment",
    credits: "-3000000",
    lot_id: "cli-acme-lot-1",
    reference: "refund-4",
  });
  expect(await run(line)).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "nothing remains of lot cli-acme-lot-1: it was used, has expired or was withdrawn (drawdown lots)\n",
  });
});

test("a part is withdrawn from the lot's end", async () => {
  await openAccount(books, "cli-part", { lots: THREE_LOTS });
  expect(await run("lot withdraw cli-part cli-part-lot-2 --credits 1.5")).toEqual({
    code: 0,
    stderr: "",
    stdout:
      "Withdrew 1.5 credits from lot cli-part-lot-2 of cli-part; 2.5 remain in it.\n" +
      "The balance is now 9.5 credits.\n",
  });
  expect(await usesOf("cli-part")).toEqual(["0 0 0 5 0 5", "0 0 1.5 2.5 5 7.5", "0 0 0 2 7.5 9.5"]);
});

test("events show which lots paid, before and after the lots have moved", async () => {
  await openAccount(books, "cli-moved", { lots: THREE_LOTS });
  await use("cli-moved", "e-1", 4n);
  await run("lot withdraw cli-moved cli-moved-lot-1");
  await use("cli-moved", "e-2", 3n);
  await run("lot withdraw cli-moved cli-moved-lot-2 --credits 0.5");
  await use("cli-moved", "e-3", 2n);
  const paidBy = async (event: string) =>
    (await json(`explain event ${event} --account cli-moved`)).lots.map(
      ({ lot_id, credits }: Record<string, string>) => `${lot_id} ${credits}`,
    );
  expect(await paidBy("e-1")).toEqual(["cli-moved-lot-1 4000000"]);
  expect(await paidBy("e-2")).toEqual(["cli-moved-lot-2 3000000"]);
  expect(await paidBy("e-3")).toEqual(["cli-moved-lot-2 500000", "cli-moved-lot-3 1500000"]);
  const { stdout } = await run("explain lot cli-moved cli-moved-lot-2");
  expect(stdout).toMatch(/\nused +3.5\nexpired +0\nwithdrawn +0.5\nleft +0\n/);
  expect(stdout).toContain("It paid for\ncli-credits  3.5 credits for 2 events\n");
});

test("a lot that was withdrawn paid for nothing, also where usage and charges span its former stretch", async () => {
  await offer(books, { "cli-plan": { credits: 20_000_000n } }, { "cli-voice": 6_000_000n });
  for (const id of ["cli-cut", "cli-cut-too"]) await openAccount(books, id, { lots: THREE_LOTS });
  await run("lot withdraw cli-cut cli-cut-lot-2");
  await use("cli-cut", "e-1", 6n);
  await run("subscription start cli-cut-too cli-plan --renewal day-of-month");
  await run("lot withdraw cli-cut-too cli-cut-too-lot-2");
  await run("add-on set cli-cut-too cli-voice 1");
  for (const id of ["cli-cut", "cli-cut-too"]) {
    expect(await json(`explain lot ${id} ${id}-lot-2`)).toMatchObject({
      used: "0",
      withdrawn: "4000000",
      by_meter: [],
      by_add_on: [],
      usage: [],
      charges: [],
    });
  }
});

test("a balance that falls to the threshold is reported as low", async () => {
  await openAccount(books, "cli-low", { lots: [{ credits: 5_000_000n }], threshold: 2_000_000n });
  expect((await run("lot withdraw cli-low cli-low-lot-1 --credits 3")).stdout).toContain(
    "The balance is now 2 credits.\nThe account is at or below its threshold: a low-balance event was published.\n",
  );
  expect(await outboxOf(books, "cli-low", "billing.low-balance")).toEqual([
    expect.objectContaining({ crossing: "1", balance: "2000000", cause: "entry:2" }),
  ]);
});

describe("refused, and nothing is changed", () => {
  let before: Record<string, string[]>;

  beforeAll(async () => {
    await openAccount(books, "cli-stays", { lots: [{ credits: 5_000_000n }] });
    await use("cli-stays", "e-1", 2n);
    before = await everyTable(books);
  });

  test.concurrent.each([
    [1, "cli-nobody x", "there is no account cli-nobody"],
    [1, "cli-stays x", "there is no lot x (drawdown lots)"],
    [1, "cli-stays cli-stays-lot-1 --credits 0", "the credits must be more than 0"],
    [
      1,
      "cli-stays cli-stays-lot-1 --credits 3.000001",
      "only 3 credits remain of lot cli-stays-lot-1 (drawdown lots)",
    ],
    [2, "cli-stays cli-stays-lot-1 --credits -1", "-1 credits are below zero"],
    [
      2,
      "cli-stays cli-stays-lot-1 --credits 9223372036854.775808",
      "9223372036854.775808 credits are more than the 9223372036854.775807 possible",
    ],
    [
      2,
      `cli-stays cli-stays-lot-1 --reference ${"x".repeat(1025)}`,
      "--reference has 1025 characters; at most 1024 are allowed",
    ],
  ])("exit code %i: %s", async (code, line, sentence) => {
    expect(await run(`lot withdraw ${line}`)).toEqual({
      code,
      stdout: "",
      stderr: `${sentence}\n`,
    });
  });

  test("all tables are unchanged", async () => {
    expect(await everyTable(books)).toEqual(before);
  });
});

describe("a lost answer", () => {
  const LOST =
    "the connection to Postgres was lost; the credits may or may not have been withdrawn";

  async function loseAnswer(line: string): Promise<string> {
    const proxy = await openPostgresProxy(books.url);
    try {
      proxy.catchNext(({ sql }) => sql === "COMMIT", "lose the answer");
      const { code, stdout, stderr } = await run(line, proxy.url);
      expect([code, stdout]).toEqual([1, ""]);
      return stderr;
    } finally {
      await proxy.close();
    }
  }

  test("everything that remains can be withdrawn again", async () => {
    await openAccount(books, "cli-lost", { lots: THREE_LOTS });
    expect(await loseAnswer("lot withdraw cli-lost cli-lost-lot-1")).toBe(
      `${LOST}; run it again, which cannot withdraw more than remains\n`,
    );
    expect((await run("lot withdraw cli-lost cli-lost-lot-1")).stderr).toMatch(/^nothing remains/);
    expect((await usesOf("cli-lost"))[0]).toBe("0 0 5 0 0 0");
  });

  test("for a part, the entries show whether it was withdrawn", async () => {
    await openAccount(books, "cli-maybe", { lots: THREE_LOTS });
    expect(await loseAnswer("lot withdraw cli-maybe cli-maybe-lot-1 --credits 1")).toBe(
      `${LOST}; before running it again, look for an adjustment of lot cli-maybe-lot-1 in drawdown entries cli-maybe\n`,
    );
    expect((await json("entries cli-maybe")).items[0]).toMatchObject({
      kind: "adjustment",
      lot_id: "cli-maybe-lot-1",
      credits: "-1000000",
    });
  });
});
