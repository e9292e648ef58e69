import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { refuseRefund } from "../../../shared/ledger/payments/refunds.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { openPayer, sellCredits } from "../../support/books/payers.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { offer } from "../../support/cli/offer.ts";
import { declined, settle, topUp, wentBack } from "../../support/cli/pay.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

let books: Books;
const run = (line: string, url = books.url) =>
  drawdown(words(line), { env: { DATABASE_URL: url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

const HOUR = 3_600_000;
const AT = expect.stringMatching(/^\d{4}-.*Z$/);

beforeAll(async () => {
  books = await openBooks();
  await sellCredits(books);
  await setPrice(books, "cli-credits", 1_000_000n);
  await offer(books, { "cli-plan": { credits: 100_000_000n } });
});
afterAll(() => books.close());

describe("payments", () => {
  test("lists top-ups and fees, newest first, each with what it is for and how it stands", async () => {
    await openPayer(books, "cli-lists");
    expect((await run("payments cli-lists")).stdout).toBe("Account cli-lists has no payments.\n");
    await topUp(books, "cli-lists", { amount: 500n, key: "first" });
    await run("subscription start cli-lists cli-plan --interval year --renewal day-of-month");
    await settle(books, "cli-lists", "fee:1:0", declined("insufficient_funds"));
    await run("top-up make cli-lists 7 --key second");
    expect(await json("payments cli-lists")).toEqual({
      items: [
        expect.objectContaining({ payment_id: "manual:second", status: "pending" }),
        {
          payment_id: "fee:1:0",
          kind: "fee",
          status: "retrying",
          amount: "29000",
          currency: "USD",
          credits: null,
          automatic: true,
          subscription_number: 1,
          plan_id: "cli-plan",
          period: 0,
          periods: 12,
          attempt: 1,
          reason: "The bank declined the payment: the card does not have enough funds.",
          created_at: AT,
          requested_by: null,
          refunded: "0",
        },
        expect.objectContaining({ payment_id: "manual:first", status: "succeeded" }),
      ],
      next_cursor: null,
    });
    const { stdout } = await run("payments cli-lists --limit 2");
    expect(stdout).toMatch(
      /\nfee:1:0 +fee of cli-plan for 12 periods +retrying +USD 290.00 +1 +\S+Z +The bank .*\nThere are more: --cursor \S+\n$/,
    );
    expect((await json("top-up list cli-lists")).items).toHaveLength(2);
  });

  test("lists those of all accounts, and those that the filters leave", async () => {
    await openPayer(books, "cli-all-1");
    await openPayer(books, "cli-all-2");
    await topUp(books, "cli-all-1", { amount: 500n, key: "one" });
    await topUp(books, "cli-all-2", { amount: 700n, key: "two" });
    await run("top-up make cli-all-2 9 --key three");
    const { stdout } = await run("payments --limit 3");
    expect(stdout).toMatch(/^ACCOUNT +PAYMENT +FOR +STATUS +AMOUNT .* REFUNDED\n/);
    expect(stdout).toMatch(/\ncli-all-2 +manual:three +.* pending +USD 9\.00 /);
    const ids = async (line: string) =>
      (await json(line)).items.map((item: Record<string, string>) => item["payment_id"]);
    expect(await ids("payments cli-all-2 --status succeeded")).toEqual(["manual:two"]);
    expect(await ids("payments cli-all-2 --kind fee")).toEqual([]);
    const [found] = (await json("payments cli-all-1 --kind top_up")).items;
    expect(found).toMatchObject({ account_id: "cli-all-1", refunded: "0" });
    expect(await ids(`payments --gateway-payment ${found["gateway_payment"]}`)).toContain(
      "manual:one",
    );
    expect(await ids("payments --to 2026-01-01T00:00:00Z")).toEqual([]);
    const later = new Date(Date.now() + HOUR).toISOString();
    expect(await run(`payments --from ${later}`)).toEqual({
      ...{ code: 0, stderr: "", stdout: "There are no such payments.\n" },
    });
  });
});

describe("payment show", () => {
  test("shows a top-up, what became of its lot, and all that went back of it", async () => {
    await openPayer(books, "cli-back", { credits: 1_000_000n });
    const paymentId = await topUp(books, "cli-back", { amount: 1000n, key: "one" });
    await meterEvents(books, [
      { eventId: "e-1", accountId: "cli-back", meter: "cli-credits", quantity: 401n },
    ]);
    await run(`payment refund cli-back ${paymentId} --amount 3 --key r-1 --by anna`);
    await wentBack(books, "cli-back", { paymentId, refundId: "r-1", amount: 300n });
    await run(`payment refund cli-back ${paymentId} --amount 1 --key r-2 --by ben`);
    await refuseRefund(
      books.database,
      { accountId: toAccountId("cli-back"), paymentId },
      { refundId: "r-2" },
      { reason: "The card is gone.", now: Date.now() },
    );
    await run(`payment refund cli-back ${paymentId} --amount 2 --key r-3 --by ben`);
    const shown = await json(`payment show cli-back ${paymentId}`);
    expect(shown).toEqual({
      account_id: "cli-back",
      payment_id: "manual:one",
      kind: "top_up",
      status: "succeeded",
      amount: "1000",
      currency: "USD",
      credits: "500000000",
      automatic: false,
      ...{ subscription_number: null, plan_id: null, period: null, periods: null },
      attempt: 1,
      reason: "",
      created_at: AT,
      requested_by: null,
      refunded: "300",
      attempted_at: AT,
      settled_at: AT,
      next_try_at: AT,
      gateway: null,
      gateway_payment: "pay_manual:one",
      customer: null,
      method: null,
      lot: expect.objectContaining({
        lot_id: "top-up:manual:one",
        credits: "500000000",
        used: "400000000",
        withdrawn: "100000000",
        remaining: "0",
      }),
      refunds: [
        {
          refund_id: "r-1",
          payment_id: "manual:one",
          kind: "refund",
          status: "posted",
          amount: "300",
          credits_withdrawn: "100000000",
          credits_owed: "50000000",
          reason: "",
          asked_by: "anna",
          created_at: AT,
          posted_at: AT,
        },
        expect.objectContaining({
          refund_id: "r-2",
          status: "refused",
          reason: "The card is gone.",
          posted_at: null,
        }),
        expect.objectContaining({ refund_id: "r-3", status: "pending", amount: "200" }),
      ],
    });
    const { stdout } = await run(`payment show cli-back ${paymentId}`);
    expect(stdout).toMatch(
      /^payment +manual:one\naccount +cli-back\nfor +top-up by hand\nstatus +succeeded\nreason +none\namount +USD 10.00\ncredits +500\nattempt +1\n/,
    );
    expect(stdout).toMatch(/\n\nlot +top-up:manual:one\ncredits +500\nused +400\nexpired +0\n/);
    expect(stdout).toMatch(/\nrefund +r-1 +posted +USD 3.00 +100 +50 +\S+Z +anna +\S+Z\n/);
    expect(stdout).toMatch(
      /\nrefund +r-2 +refused +USD 1.00 +0 +0 +\S+Z +ben +not yet +The card is gone.\n/,
    );
  });

  test("shows a fee that is not charged yet", async () => {
    await openPayer(books, "cli-owes");
    await run("subscription start cli-owes cli-plan");
    expect(await json("payment show cli-owes fee:1:0")).toMatchObject({
      kind: "fee",
      status: "pending",
      amount: "2900",
      settled_at: null,
      lot: null,
      refunds: [],
    });
    expect((await run("payment show cli-owes fee:1:0")).stdout).toMatch(
      /\nfor +fee of cli-plan for 1 period\n[\s\S]*\npaid with +nothing yet\ngateway +not called yet\n[\s\S]*\nsettled +not yet\n[\s\S]*\n\nIt has no refunds.\n$/,
    );
  });
});

describe("payment refund", () => {
  test("asks for all that has not gone back, and the gateway is to send it", async () => {
    await openPayer(books, "cli-all");
    const paymentId = await topUp(books, "cli-all", { amount: 1000n, key: "one" });
    await wentBack(books, "cli-all", { paymentId, refundId: "r-1", amount: 250n });
    const asked = await json(`payment refund cli-all ${paymentId} --by anna`);
    expect(asked).toMatchObject({
      outcome: "pending",
      status: "pending",
      account_id: "cli-all",
      payment_id: "manual:one",
      refund_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      amount: "750",
      currency: "USD",
      asked_by: "anna",
    });
    const shown = await json(`payment show cli-all ${paymentId}`);
    expect(shown.next_try_at).toEqual(AT);
    expect(shown.refunds.at(-1)).toMatchObject({
      refund_id: asked.refund_id,
      status: "pending",
      asked_by: "anna",
    });
  });

  test("under the same key it is the same refund, whatever became of it", async () => {
    await openPayer(books, "cli-again");
    const paymentId = await topUp(books, "cli-again", { amount: 1000n, key: "one" });
    const line = `payment refund cli-again ${paymentId} --amount 4 --key ticket-1`;
    expect(await run(line)).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "Refund ticket-1 of USD 4.00 of payment manual:one is pending.\n" +
        "To follow it: drawdown payment show cli-again manual:one\n",
    });
    expect((await run(line)).stdout).toBe(
      "Refund ticket-1 of USD 4.00 already exists and is pending; nothing more is refunded.\n",
    );
    await wentBack(books, "cli-again", { paymentId, refundId: "ticket-1", amount: 400n });
    // What all of it came to when it was first asked for cannot be told any more.
    const all = `payment refund cli-again ${paymentId} --key ticket-1`;
    expect(await json(all)).toMatchObject({
      outcome: "already_exists",
      refund_id: "ticket-1",
      status: "posted",
      amount: "400",
    });

    await run(`payment refund cli-again ${paymentId} --amount 1 --key ticket-2`);
    await refuseRefund(
      books.database,
      { accountId: toAccountId("cli-again"), paymentId },
      { refundId: "ticket-2" },
      { reason: "The card is gone.", now: Date.now() },
    );
    expect(await run(`payment refund cli-again ${paymentId} --amount 1 --key ticket-2`)).toEqual({
      code: 1,
      stdout:
        "Refund ticket-2 of USD 1.00 already exists and was refused; nothing more is refunded.\n",
      stderr: "refund ticket-2 was refused: The card is gone.\n",
    });
    expect((await json(`payment refund cli-again ${paymentId}`)).amount).toBe("600");
  });

  test("a lost answer: with the key that is shown, it is refunded once", async () => {
    await openPayer(books, "cli-lost");
    const paymentId = await topUp(books, "cli-lost", { amount: 1000n, key: "one" });
    const proxy = await openPostgresProxy(books.url);
    let said = "";
    try {
      proxy.catchNext(
        ({ sql }) => sql.includes("INSERT INTO refund"),
        async () => {
          proxy.catchNext(({ sql }) => sql === "COMMIT", "lose the answer");
        },
      );
      const { code, stderr } = await run(`payment refund cli-lost ${paymentId}`, proxy.url);
      expect(code).toBe(1);
      said = stderr;
    } finally {
      await proxy.close();
    }
    expect(said).toMatch(
      /^the connection to Postgres was lost; the refund may or may not have been requested; run it again with --key [0-9a-f-]{36}, which cannot refund twice\n$/,
    );
    const key = /--key (\S+),/.exec(said)?.[1];
    expect(await json(`payment refund cli-lost ${paymentId} --key ${key}`)).toMatchObject({
      outcome: "already_exists",
      status: "pending",
      amount: "1000",
    });
  });
});

describe("refused, and nothing is changed", () => {
  let before: Record<string, string[]>;

  beforeAll(async () => {
    await openAccount(books, "cli-bare");
    await openPayer(books, "cli-stays");
    await topUp(books, "cli-stays", { amount: 1000n, key: "one" });
    await topUp(books, "cli-stays", { amount: 500n, key: "gone" });
    await run("payment refund cli-stays manual:one --amount 4 --key r-1");
    await run("payment refund cli-stays manual:gone --key r-2");
    await run("top-up make cli-stays 25 --key failed");
    await settle(books, "cli-stays", "manual:failed", declined("insufficient_funds"));
    await run("top-up make cli-stays 25 --key pending");
    before = await everyTable(books);
  });

  test.concurrent.each([
    [1, "payments cli-nobody", "there is no account cli-nobody"],
    [2, "payments --from x", '--from must be an instant like 2026-09-01T00:00:00Z, not "x"'],
    [2, "payments --from 2026-09-02T00:00:00Z --to 2026-09-01T00:00:00Z", "--from is after --to"],
    [2, "payments cli-stays --limit x", '--limit must be a whole number of at least 1, not "x"'],
    [1, "payment show cli-nobody manual:one", "there is no account cli-nobody"],
    [1, "payment show cli-bare manual:one", "there is no payment manual:one (drawdown payments)"],
    [1, "payment refund cli-nobody manual:one", "there is no account cli-nobody"],
    [1, "payment refund cli-bare manual:one", "there is no payment manual:one (drawdown payments)"],
    [
      1,
      "payment refund cli-stays manual:pending",
      "payment manual:pending is pending; only what was paid can be refunded",
    ],
    [
      1,
      "payment refund cli-stays manual:failed",
      "payment manual:failed is failed; only what was paid can be refunded",
    ],
    [
      1,
      "payment refund cli-stays manual:one --amount 6.01",
      "only USD 6.00 of payment manual:one can still be refunded (drawdown payment show)",
    ],
    [
      1,
      "payment refund cli-stays manual:gone",
      "payment manual:gone was refunded in full, or is about to be (drawdown payment show)",
    ],
    [1, "payment refund cli-stays manual:one --amount 0", "the amount must be at least USD 0.01"],
    [
      1,
      "payment refund cli-stays manual:one --amount 5 --key r-1",
      "a refund of USD 4.00 already exists under this key; ask for another under another key (--key)",
    ],
    [
      2,
      "payment refund cli-stays manual:one --amount 1.234",
      "1.234 has more decimals than the 2 of USD",
    ],
    [
      2,
      `payment refund cli-stays manual:one --key ${"x".repeat(257)}`,
      "--key has 257 characters; at most 256 are allowed",
    ],
    [
      2,
      "payment refund cli-stays manual:one --by schedule",
      "--by cannot be schedule, the name of automatic changes in the history",
    ],
  ])("exit code %i: %s", async (code, line, sentence) => {
    expect(await run(line)).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
  });

  test("all tables are unchanged", async () => {
    expect(await everyTable(books)).toEqual(before);
  });
});
