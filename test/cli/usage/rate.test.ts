import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { storeDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

test("a first price applies immediately, a later one from an instant without metered events on", async () => {
  const before = Date.now();
  const first = await run("rate set cli-tokens 3 --per 1000000 --json");
  expect(first.code).toBe(0);
  const rate = JSON.parse(first.stdout);
  expect(rate).toMatchObject({
    outcome: "set",
    meter: "cli-tokens",
    credits: "3000000",
    per: "1000000",
  });
  expect(Date.parse(rate.valid_from)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(rate.valid_from)).toBeLessThanOrEqual(Date.now());

  const second = JSON.parse((await run("rate set cli-tokens 4 --per 1000000 --json")).stdout);
  expect(Date.parse(second.valid_from)).toBeGreaterThanOrEqual(before + 6 * 60_000);
  expect(Date.parse(second.valid_from)).toBeLessThanOrEqual(Date.now() + 6 * 60_000);

  const { stdout } = await run("rate list cli-tokens --json");
  const { outcome: _, stranded: __, ...listed } = rate;
  expect(JSON.parse(stdout).items).toEqual([
    { ...listed, set_by: userInfo().username },
    expect.objectContaining({ credits: "4000000" }),
  ]);
});

describe("a first price, with usage that waits for it,", () => {
  const oldest = Date.now() - 20 * 24 * 60 * 60 * 1000;
  const wait = (meter: string) =>
    inTransaction(books.database, (transaction) =>
      storeDeadLetters(
        transaction,
        [oldest, oldest + 1, oldest + 2].map((occurredAt, offset) => ({
          ...{ topic: TOPICS.usageEvents, partition: 0, offset: BigInt(occurredAt + offset) },
          ...{ accountId: "acme", meter, occurredAt, recordedAt: occurredAt },
          ...{ rejection: { reason: "unknown_meter", detail: "" }, key: null },
          payload: Buffer.from("usage"),
        })),
      ),
    );

  test("begins where the oldest of it occurred", async () => {
    await wait("cli-waiting");
    const set = JSON.parse((await run("rate set cli-waiting 1 --per 1 --json")).stdout);
    expect([Date.parse(set.valid_from), set.stranded]).toEqual([oldest, 0]);
  });

  test("from a later instant on states what it strands", async () => {
    await books.database.query("DELETE FROM dead_letter");
    await wait("cli-stranded");
    const from = new Date(oldest + 2).toISOString();
    const { stdout } = await run(`rate set cli-stranded 1 --per 1 --from ${from}`);
    expect(stdout).toContain("2 dead letters of it occurred before and cannot be metered;");
  });
});

test("a price is set once", async () => {
  const line = "rate set cli-calls 0.01 --per 1 --from 2100-01-01T00:00:00Z";
  expect(await run(line)).toMatchObject({
    code: 0,
    stdout: "cli-calls costs 0.01 credits a unit from 2100-01-01T00:00:00.000Z on.\n",
  });
  expect((await run(line)).stdout).toContain("this price already exists; nothing was changed.");
  expect(await run(line.replace("0.01", "0.02"))).toMatchObject({
    code: 1,
    stderr:
      "other terms begin at that instant, and what exists never changes; state a later from (drawdown catalogue show)\n",
  });
});

test("a price cannot apply to events that are metered already", async () => {
  await run("rate set cli-minutes 1 --per 60 --from 2020-01-01T00:00:00Z");
  const { code, stderr } = await run("rate set cli-minutes 2 --per 60 --from 2021-01-01T00:00:00Z");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^it exists and cannot change before \S+Z; state a later from\n$/);
});

test("lists every price, or reports that there is none", async () => {
  await run("rate set cli-listed 0 --per 1 --from 2020-01-01T00:00:00Z");
  expect((await run("rate list")).stdout).toMatch(/^METER +CREDITS +PER +VALID FROM +SET BY\n/);
  expect((await run("rate list cli-listed")).stdout).toMatch(
    /cli-listed +0 +1 +2020-01-01T00:00:00.000Z +\S+\n$/,
  );
  expect(await run("rate list cli-unheard-of --json")).toEqual({
    code: 1,
    stdout: "",
    stderr:
      '{"error":"there is no meter cli-unheard-of (drawdown rate list)","code":"unknown_meter"}\n',
  });
});

test.each([
  ["cli-x 3 --per 0", '--per must be a whole number of at least 1, not "0"'],
  ["cli-x 3 --per 1.5", '--per must be a whole number of at least 1, not "1.5"'],
  ["cli-x -3 --per 1", "-3 credits are below zero"],
  [
    "cli-x 3 --per 1 --from soon",
    '--from must be an instant like 2026-09-01T00:00:00Z, not "soon"',
  ],
])("rate set refuses %s", async (line, sentence) => {
  expect(await run(`rate set ${line}`)).toEqual({ code: 2, stdout: "", stderr: `${sentence}\n` });
});

test("a price may be for packages that each event begins", async () => {
  const set = await run("rate set cli-seconds 0.5 --per 60 --round-up each_event");
  expect(set.stdout).toContain("0.5 credits for 60 units, each event rounded up to 60");
  expect((await run("rate list cli-seconds")).stdout).toMatch(/PER +ROUND UP.* 60 +each_event/s);
  const { items } = JSON.parse((await run("rate list cli-seconds --json")).stdout);
  expect(items).toMatchObject([{ credits: "500000", per: "60", round_up: "each_event" }]);
  expect(await run("rate set cli-seconds 0.5 --per 60 --round-up up")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--round-up must be each_event or each_month, not "up"'),
  });
});
