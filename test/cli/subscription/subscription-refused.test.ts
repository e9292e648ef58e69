import { afterAll, beforeAll, expect, test } from "vitest";
import { decideFeeFailed } from "../../../shared/core/changes/suspend-subscription.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { type Books, openAccountWithCard, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { offer } from "../../support/cli/offer.ts";

let books: Books;
let before: Record<string, string[]>;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

beforeAll(async () => {
  books = await openBooks();
  await offer(books, {
    "cli-small": { credits: 100_000_000n },
    "cli-pro": { credits: 500_000_000n },
    "cli-euro": { credits: 100_000_000n, currency: "EUR" },
    "cli-vast": { credits: 2n ** 63n - 1n },
  });
  await openAccountWithCard(books, "cli-bare", { lots: [{ credits: 1n }] });
  await openAccountWithCard(books, "cli-sub", { lots: [{ credits: 1n }] });
  await run("subscription start cli-sub cli-small --renewal day-of-month");
  await openAccountWithCard(books, "cli-gone");
  await run("subscription start cli-gone cli-small --renewal day-of-month");
  await run("subscription cancel cli-gone");
  await openAccountWithCard(books, "cli-owes");
  await run("subscription start cli-owes cli-small --interval year --renewal day-of-month");
  await changeSubscription(
    books.database,
    { accountId: toAccountId("cli-owes"), now: Date.now(), by: "test" },
    (context) => decideFeeFailed({ number: 1, period: 0 }, context),
  );
  before = await everyTable(books);
});
afterAll(() => books.close());

test.concurrent.each([
  [1, "start cli-nobody cli-pro", "there is no account cli-nobody"],
  [1, "start cli-bare cli-typo", "there is no plan cli-typo now (drawdown catalogue show)"],
  [1, "start cli-bare cli-euro", "plan cli-euro has no price in USD"],
  [
    1,
    "start cli-bare cli-vast",
    "that is too much for one account: at most 9223372036854.775806 credits are possible",
  ],
  [
    1,
    "start cli-sub cli-pro",
    "the account already has a subscription, to plan cli-small; change it, or start another once it has ended",
  ],
  [
    1,
    "start cli-gone cli-pro",
    "the account already has a subscription, to plan cli-small; resume it, or start another once it has ended",
  ],
  [2, "start cli-bare cli-pro --interval week", '--interval must be month or year, not "week"'],
  [
    2,
    "start cli-bare cli-pro --renewal daily",
    '--renewal must be first-of-month or day-of-month, not "daily"',
  ],
  [
    2,
    "start cli-bare cli-pro --by schedule",
    "--by cannot be schedule, the name of automatic changes in the history",
  ],
  [
    2,
    `start cli-bare cli-pro --by ${"x".repeat(257)}`,
    "--by has 257 characters; at most 256 are allowed",
  ],
  [
    1,
    "change-plan cli-bare cli-pro",
    "the account has no subscription (drawdown subscription start)",
  ],
  [1, "change-plan cli-sub cli-small", "the plan is already cli-small"],
  [1, "change-plan cli-sub cli-typo", "there is no plan cli-typo now (drawdown catalogue show)"],
  [1, "change-plan cli-sub cli-euro", "plan cli-euro has no price in USD"],
  [
    1,
    "change-plan cli-sub cli-vast",
    "that is too much for one account: at most 9223372036754.775806 credits are possible",
  ],
  [1, "change-interval cli-sub month", "the subscription is already paid by the month"],
  [2, "change-interval cli-sub decade", 'interval must be month or year, not "decade"'],
  [
    1,
    "change-interval cli-bare year",
    "the account has no subscription (drawdown subscription start)",
  ],
  [
    1,
    "change-plan cli-owes cli-pro",
    "the subscription is suspended: its fee of USD 290.00 a year is not paid",
  ],
  [
    1,
    "change-interval cli-owes month",
    "the subscription is suspended: its fee of USD 290.00 a year is not paid",
  ],
  [1, "cancel cli-gone", "the subscription is already cancelled"],
  [1, "cancel cli-bare", "the account has no subscription (drawdown subscription start)"],
  [1, "resume cli-sub", "the subscription is not cancelled"],
  [1, "resume cli-bare", "the account has no subscription (drawdown subscription start)"],
  [1, "show cli-nobody", "there is no account cli-nobody"],
  [1, "history cli-nobody", "there is no account cli-nobody"],
])("refused with exit code %i: subscription %s", async (code, line, sentence) => {
  expect(await run(`subscription ${line}`)).toEqual({
    code,
    stdout: "",
    stderr: `${sentence}\n`,
  });
});

test("none of these stores anything", async () => {
  expect(await everyTable(books)).toEqual(before);
});

test("with --json as JSON", async () => {
  expect(await run("subscription cancel cli-gone --json")).toEqual({
    code: 1,
    stdout: "",
    stderr: '{"error":"the subscription is already cancelled","code":"already_cancelled"}\n',
  });
});
