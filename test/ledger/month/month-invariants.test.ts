/** The invariants of months detect broken books: each is broken once, by hand. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { type Books, connect, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const CHARGED =
  "each unit of an add-on in use is charged for the period, or its charge waits for usage";
const MONTHS = "a subscription has one month's lot for each period begun";

let books: Books;
/** One connection, on which a break is rolled back. */
let one: Books["database"];

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  // The month has turned for one account; its charges wait, as usage is not known to be complete.
  await openSubscriber(books, "turned", { at: NOON - 31 * DAY, voices: 2 });
  await openSubscriber(books, "fresh", { at: NOON, voices: 3 });
  for (const [id, units] of [["turned", 3] as const, ["fresh", 5] as const]) {
    const change = { accountId: toAccountId(id), now: NOON + 1, by: "test" };
    const changed = await changeSubscription(books.database, change, (context) =>
      decideAddOn({ addOnId: "voice", units }, context),
    );
    expect(changed.kind).toBe("changed");
  }
  const { rows } = await books.database.query(
    "SELECT account_id, jsonb_array_length(due_charges) AS waiting FROM schedule ORDER BY 1",
  );
  expect(rows).toEqual([
    { account_id: "fresh", waiting: 0 },
    { account_id: "turned", waiting: 1 },
  ]);
  one = connect(books.url, 1);
});

afterAll(async () => {
  await one?.end();
  await books?.close();
});

beforeEach(() => one.query("BEGIN"));
afterEach(() => one.query("ROLLBACK"));

test("they hold in good books", async () => {
  expect(await brokenInvariants(one)).toEqual([]);
});

test.each<{ what: string; sql: string; broken: string }>([
  {
    what: "an add-on's charge is gone",
    sql: "DELETE FROM entry WHERE account_id = 'fresh' AND reference = 'add-on:voice:1:0:3-5'",
    broken: `${CHARGED}: fresh`,
  },
  {
    what: "a waiting charge is gone",
    sql: "UPDATE schedule SET due_charges = '[]' WHERE account_id = 'turned'",
    broken: `${CHARGED}: turned`,
  },
  {
    what: "there are more units than were charged",
    sql: `UPDATE schedule SET add_ons = '[{"addOnId": "voice", "quantity": 6, "nextQuantity": 6}]'
          WHERE account_id = 'fresh'`,
    broken: `${CHARGED}: fresh`,
  },
  {
    what: "a month's lot is gone",
    sql: "DELETE FROM lot WHERE account_id = 'turned' AND lot_id = 'plan:1:1'",
    broken: `${MONTHS}: turned`,
  },
])("$what", async ({ sql, broken }) => {
  await one.query(sql);
  expect(await brokenInvariants(one)).toContain(broken);
});
