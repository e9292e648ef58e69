import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

const HOUR_MS = 3_600_000;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "cli-credits", 1_000_000n);
});
afterAll(() => books.close());

test("lists lots oldest first, with what is used and left of each", async () => {
  await openAccount(books, "cli-acme", {
    lots: [{ credits: 2_000_000n }, { credits: 4_000_000n }, { credits: 1_000_000n }],
  });
  await meterEvents(books, [
    { eventId: "e-1", accountId: "cli-acme", meter: "cli-credits", quantity: 3n },
  ]);
  const { code, stdout } = await run("lots cli-acme --json");
  expect(code).toBe(0);
  const { items: lots, next_cursor: next } = JSON.parse(stdout);
  expect(next).toBe(null);
  const use = lots.map(({ lot_id, used, expired, remaining }: Record<string, string>) => [
    lot_id,
    used,
    expired,
    remaining,
  ]);
  expect(use).toEqual([
    ["cli-acme-lot-1", "2000000", "0", "0"],
    ["cli-acme-lot-2", "1000000", "0", "3000000"],
    ["cli-acme-lot-3", "0", "0", "1000000"],
  ]);
  expect((await run("lots cli-acme")).stdout).toMatch(
    /cli-acme-lot-2 +top_up +4 +1 +0 +0 +3 .* \[2, 6\)\n[\s\S]*\|#+\|#+-+\|-+\| {2}\(# gone, - left, ! debt\)\nposition 3, balance 4 credits\n$/,
  );
});

test("shows how much of an ended and of a withdrawn lot expired", async () => {
  const past = Date.now() - 2 * HOUR_MS;
  await openAccount(books, "cli-ended", {
    at: past,
    lots: [
      { credits: 2_000_000n, expiresAt: past + HOUR_MS },
      { credits: 5_000_000n },
      { credits: 3_000_000n, expiresAt: past + HOUR_MS },
      { credits: 1_000_000n },
    ],
  });
  const use = { accountId: "cli-ended", meter: "cli-credits", quantity: 1n };
  await meterEvents(books, [
    { ...use, eventId: "e-1", occurredAt: past },
    { ...use, eventId: "e-2" },
  ]);
  const { items: lots } = JSON.parse((await run("lots cli-ended --json")).stdout);
  const shown = lots.map((lot: Record<string, string>) => [
    lot["lot_id"],
    lot["credits"],
    lot["used"],
    lot["expired"],
    lot["remaining"],
    lot["start"],
  ]);
  expect(shown).toEqual([
    ["cli-ended-lot-1", "2000000", "1000000", "1000000", "0", "0"],
    ["cli-ended-lot-2", "5000000", "1000000", "0", "4000000", "2000000"],
    ["cli-ended-lot-3", "3000000", "0", "3000000", "0", "7000000"],
    ["cli-ended-lot-4", "1000000", "0", "0", "1000000", "7000000"],
  ]);
});

test("an account without lots, and one that does not exist", async () => {
  await openAccount(books, "cli-empty");
  expect((await run("lots cli-empty")).stdout).toBe(
    "Account cli-empty has no lots; its balance is 0 credits.\n",
  );
  expect(await run("lots cli-nobody")).toEqual({
    code: 1,
    stdout: "",
    stderr: "there is no account cli-nobody\n",
  });
});
