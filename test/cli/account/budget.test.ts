import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { drawdown } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1_000_000n);
  await openAccount(books, "acme", { lots: [{ credits: 100_000_000n }] });
  const event = { eventId: "e1", accountId: "acme", meter: "call", quantity: 3n };
  await meterEvents(books, [{ ...event, dimensions: { team: "search" } }]);
});

afterAll(() => books?.close());

const say = (...words: string[]) => drawdown(words, { env: { DATABASE_URL: books.url } });

test("a budget is set, listed and deleted", async () => {
  expect(await say("budget", "set", "acme", "team", "all", "5", "--value", "search")).toMatchObject(
    {
      ...{
        code: 0,
        stdout: "The budget of team search for all time is 5 credits; 2 are left of it\n",
      },
    },
  );
  expect(await say("budget", "set", "acme", "team", "day", "7.5")).toMatchObject({
    ...{ code: 0, stdout: "The budget of every team a day is 7.5 credits\n" },
  });
  const { stdout } = await say("budget", "list", "acme");
  expect(stdout).toMatch(/^DIMENSION +VALUE +WINDOW +CREDITS +SPENT +HELD +LEFT +TURNS\n/);
  expect(stdout).toMatch(/\nteam +search +all +5 +3 +0 +2 +never\n/);
  expect(stdout).toMatch(/\nteam +\(every\) +day +7\.5 +0 +0 +7\.5 +\S+/);
  const deleted = await say("budget", "delete", "acme", "team", "all", "--value", "search");
  expect(deleted).toMatchObject({
    code: 0,
    stdout: "The budget of team search for all time is deleted\n",
  });
  const again = await say("budget", "delete", "acme", "team", "all", "--value", "search");
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain(
    "has no budget of team search for all time (drawdown budget list)",
  );
});

test.each([
  [
    ["set", "acme", "team", "hour", "5"],
    /the window must be one of day, week, month, all, not "hour"/,
  ],
  [["set", "acme", "team", "day", "-5"], /-5 credits are below zero/],
  [["set", "acme", "team", "day", "five"], /five/],
])("wrong usage is a sentence: budget %j", async (words, sentence) => {
  const { code, stderr } = await say("budget", ...words);
  expect([code, stderr]).toEqual([2, expect.stringMatching(sentence)]);
});
