import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { readAutoTopUp, writeAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

let books: Books;
const run = (line: string, url = books.url) =>
  drawdown(words(line), { env: { DATABASE_URL: url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const SET = "--customer cus_1 --method pm_1";

test("a payment method is set, shown and replaced, with who did it", async () => {
  await openAccount(books, "cli-payer");
  expect(await run("payment-method show cli-payer")).toEqual({
    code: 0,
    stderr: "",
    stdout: "Account cli-payer has no payment method; set one with drawdown payment-method set.\n",
  });
  expect(await json("payment-method show cli-payer")).toEqual({
    account_id: "cli-payer",
    payment_method: {
      ...{ set: false, customer: null, method: null, set_by: null, set_at: null },
      ...{ removed_by: null, removed_at: null },
    },
  });
  expect(await run(`payment-method set cli-payer ${SET} --by anna`)).toEqual({
    code: 0,
    stderr: "",
    stdout:
      "cli-payer pays with pm_1 of cus_1 from now on.\n" +
      "Auto top-up starts again if it was paused or stopped, and declined fees are tried again.\n",
  });
  const { payment_method: stored } = await json("payment-method show cli-payer");
  expect(stored).toEqual({
    set: true,
    customer: "cus_1",
    method: "pm_1",
    set_by: "anna",
    set_at: expect.stringMatching(/Z$/),
    ...{ removed_by: null, removed_at: null },
  });
  expect((await run("payment-method show cli-payer")).stdout).toBe(
    [
      "account   cli-payer",
      "customer  cus_1",
      "method    pm_1",
      "set by    anna",
      `set       ${stored.set_at}`,
      "",
    ].join("\n"),
  );
  expect(await json("payment-method set cli-payer --customer cus_1 --method pm_2")).toEqual({
    outcome: "set",
    account_id: "cli-payer",
    payment_method: {
      ...{ set: true, customer: "cus_1", method: "pm_2", set_by: userInfo().username },
      set_at: expect.stringMatching(/Z$/),
      ...{ removed_by: null, removed_at: null },
    },
  });
  expect((await json("payment-method show cli-payer")).payment_method.method).toBe("pm_2");
});

test("a payment method is removed; again, the answer is the same", async () => {
  await openAccount(books, "cli-remover");
  await run(`payment-method set cli-remover ${SET}`);
  expect(await run("payment-method remove cli-remover --by anna")).toEqual({
    code: 0,
    stderr: "",
    stdout:
      "cli-remover has no payment method now.\n" +
      "Auto top-up stops, and later fees are declined, until another is set. What the gateway has saved stays there.\n",
  });
  const { outcome, ...removed } = await json("payment-method remove cli-remover --by bert");
  expect([outcome, removed.payment_method]).toEqual([
    "removed",
    {
      ...{ set: false, customer: null, method: null, set_by: null, set_at: null },
      ...{ removed_by: "anna", removed_at: expect.stringMatching(/Z$/) },
    },
  ]);
  expect(await json("payment-method show cli-remover")).toEqual(removed);
  expect((await run("payment-method show cli-remover")).stdout).toBe(
    `Account cli-remover has no payment method (anna removed it at ${removed.payment_method.removed_at}); set one with drawdown payment-method set.\n`,
  );
});

test("a stopped auto top-up starts again", async () => {
  await openAccount(books, "cli-stopped");
  const accountId = toAccountId("cli-stopped");
  await inTransaction(books.database, async (transaction) => {
    const auto = await readAutoTopUp(transaction, accountId);
    const stopped = { ...auto, declines: 4, stopped: "The card has expired." };
    await writeAutoTopUp(transaction, accountId, { auto: stopped, notices: [], now: Date.now() });
  });
  expect(await json("top-up settings cli-stopped")).toMatchObject({
    stopped: "The card has expired.",
    declines: 4,
  });
  await run(`payment-method set cli-stopped ${SET}`);
  expect(await json("top-up settings cli-stopped")).toMatchObject({
    stopped: null,
    declines: 0,
    next_look_at: expect.stringMatching(/Z$/),
  });
});

describe("refused, and nothing is changed", () => {
  let before: Record<string, string[]>;
  const CARD =
    "looks like a card number, which is never stored; give the payment gateway's id instead";

  beforeAll(async () => {
    await openAccount(books, "cli-stays");
    before = await everyTable(books);
  });

  test.concurrent.each([
    [1, ["set", "cli-nobody", ...words(SET)], "there is no account cli-nobody"],
    [1, ["show", "cli-nobody"], "there is no account cli-nobody"],
    [1, ["remove", "cli-nobody"], "there is no account cli-nobody"],
    [
      2,
      ["set", "cli-stays", "--customer", "cus_1", "--method", "4242424242424242"],
      `--method ${CARD}`,
    ],
    [
      2,
      ["set", "cli-stays", "--customer", "cus_1", "--method", "4242 4242-4242 4242"],
      `--method ${CARD}`,
    ],
    [
      2,
      ["set", "cli-stays", "--customer", "378282246310005", "--method", "pm_1"],
      `--customer ${CARD}`,
    ],
    [2, ["set", "cli-stays", "--customer", "", "--method", "pm_1"], "--customer is empty"],
    [
      2,
      ["set", "cli-stays", "--customer", "cus_1"],
      "required option '--method <id>' not specified",
    ],
    [
      2,
      ["set", "cli-stays", ...words(SET), "--by", "schedule"],
      "--by cannot be schedule, the name of automatic changes in the history",
    ],
  ])("exit code %i: payment-method %j", async (code, line, sentence) => {
    const env = { DATABASE_URL: books.url };
    expect(await drawdown(["payment-method", ...line], { env })).toEqual({
      code,
      stdout: "",
      stderr: `${sentence}\n`,
    });
  });

  test("all tables are unchanged", async () => {
    expect(await everyTable(books)).toEqual(before);
  });
});

test("a lost answer: it can be set again", async () => {
  await openAccount(books, "cli-lost");
  const proxy = await openPostgresProxy(books.url);
  try {
    proxy.catchNext(({ sql }) => sql === "COMMIT", "lose the answer");
    expect(await run(`payment-method set cli-lost ${SET}`, proxy.url)).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "the connection to Postgres was lost; the payment method may or may not have been set; run it again, which charges nothing twice\n",
    });
  } finally {
    await proxy.close();
  }
  expect((await run(`payment-method set cli-lost ${SET}`)).code).toBe(0);
});
