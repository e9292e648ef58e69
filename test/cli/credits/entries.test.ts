import { userInfo } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cursorsOf, WHOLE } from "../../../shared/contract/cursor.ts";
import {
  type Books,
  openAccount,
  openAccountWithCard,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { offer } from "../../support/cli/offer.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

interface Listed {
  readonly sequence: string;
  readonly kind: string;
  readonly credits: string;
  readonly balance: string;
  readonly lot_id: string | null;
  readonly used_before: string;
}

/**
 * cli-acme is granted 5, uses 3 and 1, is granted 10 by a plan, is charged 2 for an add-on, uses 4,
 * has 1 of the plan's lot withdrawn, and uses 1.
 */
beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "cli-credits", 1_000_000n);
  await offer(books, { "cli-pro": { credits: 10_000_000n } }, { "cli-voice": 2_000_000n });
  await openAccountWithCard(books, "cli-acme", { lots: [{ credits: 5_000_000n }] });
  await use("e-1", 3n);
  await use("e-2", 1n);
  await run("subscription start cli-acme cli-pro --renewal day-of-month");
  await run("add-on set cli-acme cli-voice 1");
  await use("e-3", 4n);
  await run("lot withdraw cli-acme plan:1:0 --credits 1 --reference ticket-9");
  await use("e-4", 1n);
});
afterAll(() => books.close());

const use = (eventId: string, quantity: bigint) =>
  meterEvents(books, [{ accountId: "cli-acme", eventId, meter: "cli-credits", quantity }]);

const short = ({ sequence, kind, used_before, credits, balance, lot_id }: Listed) =>
  [sequence, kind, used_before, credits, balance, lot_id].join(" ");

test("entries are listed newest first, as the API lists them, with the usage in between", async () => {
  const listed = await json("entries cli-acme");
  expect(listed.items.map(short)).toEqual([
    "4 adjustment 4000000 -1000000 4000000 plan:1:0",
    "3 add_on_charge 0 -2000000 9000000 ",
    "2 grant 4000000 10000000 11000000 plan:1:0",
    "1 grant 0 5000000 5000000 cli-acme-lot-1",
  ]);
  expect(listed.next_cursor).toBe(null);
  expect(listed.items[0]).toMatchObject({
    reference: "ticket-9",
    due_at: expect.stringMatching(/Z$/),
    posted_at: expect.stringMatching(/Z$/),
  });
});

test("each balance is the one before, less the usage in between, plus the credits", async () => {
  const { items } = await json("entries cli-acme");
  let sum = 0n;
  for (const entry of (items as Listed[]).toReversed()) {
    sum += BigInt(entry.credits) - BigInt(entry.used_before);
    expect(sum).toBe(BigInt(entry.balance));
  }
  expect((await run("entries cli-acme")).stdout).toMatch(
    /\nUsed since: 1 credits; the balance is 3 credits\.\n$/,
  );
});

test("as text, oldest first", async () => {
  const { items, next_cursor: next } = await json("entries cli-acme --limit 3");
  const [fourth, third, second] = items.map((entry: { posted_at: string }) => entry.posted_at);
  const { stdout } = await run("entries cli-acme --limit 3");
  const by = userInfo().username;
  const DUE = second.replace(/./g, " ");
  expect(stdout.replaceAll(/ \S+Z$/gm, ` ${DUE}`)).toBe(
    [
      `ENTRY  POSTED                    KIND           USED BEFORE  CREDITS  BALANCE  LOT       REFERENCE                 ${"BY".padEnd(by.length)}  DUE`,
      `    2  ${second}  grant                    4       10       11  plan:1:0  cli-pro                   ${by}  ${DUE}`,
      `    3  ${third}  add_on_charge            0       -2        9            add-on:cli-voice:1:0:0-1  ${by}  ${DUE}`,
      `    4  ${fourth}  adjustment               4       -1        4  plan:1:0  ticket-9                  ${by}  ${DUE}`,
      `There are more: --cursor ${next}`,
      "Used since: 1 credits; the balance is 3 credits.",
      "",
    ].join("\n"),
  );
});

test("are the same page by page", async () => {
  const all = await json("entries cli-acme");
  const last = await json("entries cli-acme --limit 3");
  const first = await json(`entries cli-acme --limit 3 --cursor ${last.next_cursor}`);
  expect([...last.items, ...first.items]).toEqual(all.items);
  expect(first.next_cursor).toBe(null);
  const { stdout } = await run(`entries cli-acme --cursor ${last.next_cursor}`);
  expect(stdout).not.toContain("Used since");
});

test("an account without entries, and an empty page", async () => {
  await openAccount(books, "cli-empty");
  expect((await run("entries cli-empty")).stdout).toBe(
    "Account cli-empty has no entries.\nUsed since: 0 credits; the balance is 0 credits.\n",
  );
  const first = cursorsOf("entries", [WHOLE]).of(1n);
  expect((await run(`entries cli-acme --cursor ${first}`)).stdout).toBe(
    "Account cli-acme has no such entries.\n",
  );
});

test.each([
  [1, "cli-nobody", "there is no account cli-nobody"],
  [2, "cli-acme --limit 0", '--limit must be a whole number of at least 1, not "0"'],
  [2, "cli-acme --cursor x", "--cursor is not one that this list has given"],
])("exit code %i: entries %s", async (code, line, sentence) => {
  expect(await run(`entries ${line}`)).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
});
