import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compareCharges } from "../../services/top-up/compare-charges.ts";
import { OutcomeUnknown } from "../../services/top-up/gateways/payment-gateway.ts";
import { openSimulatedGateway } from "../../services/top-up/gateways/simulated/gateway.ts";
import { chargeWatch } from "../../services/top-up/watch-charges.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { chargesCompared } from "../../shared/ledger/payments/charge-check.ts";
import { listUnmatched } from "../../shared/ledger/payments/charges-at-gateway.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { serverReader } from "../../shared/ledger/postgres/server-start.ts";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { openPayer, sellCredits, topUpsOf, use } from "../support/books/payers.ts";
import { paymentsByClock } from "../support/books/payments-by-clock.ts";
import { eventually } from "../support/eventually.ts";
import { silent } from "../support/kafka/kafka.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";
import { WEBHOOK_SECRET } from "../support/processes/top-up-process.ts";

/**
 * Money collected at the gateway, by its own list, is in the books; where it is not, the charge is
 * reported until it is, or until the money is refunded.
 */
const HOUR = 60 * 60_000;
const APART = 5 * 60_000;
const DAY = 24 * HOUR;

let books: Books;
let gateway: GatewayInProcess;

beforeEach(async () => {
  books = await openBooks();
  gateway = await openGateway();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  for (const id of ["ann", "ben"]) await openPayer(books, id);
  await chargeLow("ann", "ben");
});

afterEach(() => books.close());

test("each charge has its payment: nothing is reported, and the compared instant is stored", async () => {
  expect(await topUpsOf(books, "ann")).toMatchObject([{ status: "succeeded" }]);
  const before = Date.now();
  await compare();
  expect(await named()).toEqual([]);
  const compared = await chargesCompared(books.database, "simulated");
  expect(compared.to).toBeGreaterThanOrEqual(before);
});

test("a payment under way and a declined one are not reported", async () => {
  await books.database.query(
    "UPDATE payment SET status = 'pending', gateway_payment = NULL WHERE account_id = 'ann'",
  );
  await openPayer(books, "cem", { card: "card_decline" });
  await chargeLow("cem");
  expect(await topUpsOf(books, "cem")).toMatchObject([{ status: "failed" }]);
  await compare();
  expect(await named()).toEqual([]);
});

describe("a charge is reported", () => {
  test.each([
    ["whose payment the books have lost", "DELETE FROM payment", "no_payment"],
    ["that they say was not paid", "UPDATE payment SET status = 'failed'", "not_paid"],
    [
      "that they say was paid by another",
      "UPDATE payment SET gateway_payment = 'pay_other'",
      "paid_by_another",
    ],
    ["that they say nothing paid", "UPDATE payment SET gateway_payment = NULL", "paid_by_another"],
    ["of another amount", "UPDATE payment SET amount = amount + 1", "other_amount"],
    ["of another currency", "UPDATE payment SET currency = 'EUR'", "other_amount"],
  ])("%s", async (_, plant, problem) => {
    await books.database.query(`${plant} WHERE account_id = 'ann'`);
    await compare();
    expect(await listUnmatched(books.database, null)).toMatchObject([
      { accountId: "ann", amount: 1_000n, currency: "USD", problem },
    ]);
    expect(await listUnmatched(books.database, "ben")).toEqual([]);
  });

  test("until its payment is back", async () => {
    await books.database.query("CREATE TABLE kept AS SELECT * FROM payment");
    await books.database.query("DELETE FROM payment");
    await compare();
    expect(await named()).toHaveLength(2);
    await books.database.query("INSERT INTO payment SELECT * FROM kept");
    expect(await named()).toEqual([]);
    await compare();
    const { rows } = await books.database.query("SELECT * FROM unmatched_charge");
    expect(rows).toEqual([]);
  });

  test("until all of its money is refunded", async () => {
    await books.database.query("DELETE FROM payment WHERE account_id = 'ann'");
    await compare();
    const [charge] = await listUnmatched(books.database, null);
    const refund = (amount: string, key: string) =>
      gateway.send("POST", `/v1/payments/${charge?.gatewayPayment}/refunds`, { amount }, key);
    expect((await refund("400", "part")).status).toBe(200);
    await compare();
    expect(await named()).toHaveLength(1);
    expect((await refund("600", "rest")).status).toBe(200);
    await compare();
    expect(await named()).toEqual([]);
  });

  test("until the gateway has declined it, since it was under way", async () => {
    await books.database.query("DELETE FROM payment WHERE account_id = 'ann'");
    await compare();
    expect(await named()).toEqual(["ann"]);
    const decline = { kind: "soft", reason: null, code: "canceled" } as const;
    const stateOf = async (gatewayPayment: string) =>
      ({ kind: "declined", gatewayPayment, decline }) as const;
    await compare({ ...simulated(), stateOf }, Date.now() + HOUR);
    expect(await named()).toEqual([]);
  });

  test("at any place among many", async () => {
    // More than a page of the gateway, and than one batch of the comparison.
    for (let charge = 0; charge < 520; charge += 1) {
      await gateway.charge({ account_id: "elsewhere", payment_id: `p${charge}` });
    }
    await openPayer(books, "last");
    await chargeLow("last");
    await books.database.query("DELETE FROM payment WHERE account_id IN ('ann', 'last')");
    await compare();
    expect(await named()).toEqual(["ann", "last"]);
  });
});

test("charges of other books at the same gateway are ignored", async () => {
  await gateway.charge({ account_id: "elsewhere", payment_id: "low-balance:1" });
  await gateway.charge({ account_id: "ann", payment_id: "low-balance:7" });
  await compare();
  expect(await named()).toEqual([]);
});

test("if the gateway does not answer, nothing is stored, and the next run begins there", async () => {
  await books.database.query("DELETE FROM payment WHERE account_id = 'ann'");
  const away = { ...simulated(), listCharges: () => neverListed() };
  await expect(compare(away)).rejects.toThrow(OutcomeUnknown);
  const { rows } = await books.database.query("SELECT * FROM charge_check");
  expect(rows).toEqual([]);
  await compare();
  expect(await named()).toEqual(["ann"]);
});

test("a gateway that refuses the query stops nothing: it is queried again, and payments wait until then", async () => {
  const stop = new AbortController();
  const { signal: stopping } = stop;
  let refusals = 2;
  const listCharges = (since: number, until: number) => {
    if (refusals-- > 0) throw new Error("400: not like this");
    return simulated().listCharges(since, until);
  };
  const watch = chargeWatch({
    ...{ database: books.database, logger: silent, now: Date.now, stopping },
    gateway: { ...simulated(), listEveryMs: 1, listCharges },
    waits: retryOutages({ logger: silent, stopping }),
  });
  const watching = watch.run();
  await watch.first(0);
  expect([watch.comparedOn(), watch.waiting()?.reason]).toEqual([
    "",
    "payments wait until the gateway's charges are compared with the books",
  ]);
  const isCompared = async () =>
    (await books.database.query("SELECT FROM charge_check")).rowCount === 1;
  await Promise.race([watching, eventually("charges are compared", isCompared)]);
  stop.abort();
  await watching;
  expect(await isCompared()).toBe(true);
  const { start } = await serverReader(books.database)();
  expect([watch.comparedOn(), watch.waiting()]).toEqual([start, null]);
});

test("a comparison that began before a failover was seen does not count after it: calls of before may be under way", async () => {
  const stop = new AbortController();
  const { signal: stopping } = stop;
  const { start } = await serverReader(books.database)();
  const listing = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let seen = "another one";
  const warnings: unknown[] = [];
  const warn = (about: unknown) => void warnings.push(about);
  const watch = chargeWatch({
    ...{ database: seenAs(() => seen), now: Date.now, stopping },
    logger: Object.assign(Object.create(silent), { warn }),
    gateway: {
      ...{ ...simulated(), listEveryMs: 1 },
      async *listCharges(since: number, until: number) {
        listing.resolve();
        await released.promise;
        yield* simulated().listCharges(since, until);
      },
    },
    waits: retryOutages({ logger: silent, stopping }),
  });
  const watching = watch.run();
  await listing.promise;
  seen = start;
  await eventually("the failover is seen", async () => warnings.length > 0);
  released.resolve();
  await eventually("charges are listed to the end", async () => {
    const { rowCount } = await books.database.query("SELECT FROM charge_check");
    return rowCount === 1;
  });
  stop.abort();
  await watching;
  expect([watch.comparedOn(), watch.waiting()]).toEqual(["", expect.anything()]);
});

describe("each query covers", () => {
  test("what is new, and five minutes before and after it, since clocks may be apart", async () => {
    await compare(simulated(), noonIn(1));
    const { asked, gateway: listening } = listened();
    await compare(listening, noonIn(1) + HOUR);
    expect(asked).toEqual([[noonIn(1) - APART, noonIn(1) + HOUR + APART]]);
  });

  test("the last minutes, also where another process has compared by a clock that is ahead", async () => {
    await compare(simulated(), noonIn(1) + HOUR);
    const { asked, gateway: listening } = listened();
    await compare(listening, noonIn(1));
    expect(asked).toEqual([[noonIn(1) - APART, noonIn(1) + APART]]);
  });

  test("once a day the week before it, for a charge that was declined and has since been paid", async () => {
    await books.database.query("UPDATE payment SET status = 'failed' WHERE account_id = 'ann'");
    await compare({ ...simulated(), listCharges: async function* () {} }, noonIn(1));
    expect(await named()).toEqual([]);
    const { asked, gateway: listening } = listened();
    await compare(listening, noonIn(2));
    expect(await named()).toEqual(["ann"]);
    // First what is new, for which payments may wait.
    const [first, ...week] = asked;
    expect(first).toEqual([noonIn(1) - APART, noonIn(2) + APART]);
    expect([week[0]?.[0], week.at(-1)?.[1]]).toEqual([noonIn(1 - 7), noonIn(2) + APART]);
    for (const [at, [since]] of week.entries()) {
      if (at > 0) expect(since).toBe(week[at - 1]?.[1]);
    }
  });
});

/** The days of UTC until the tests began. */
const TODAY = Math.floor(Date.now() / DAY);

/** Noon, UTC, `days` from today. */
function noonIn(days: number): number {
  return (TODAY + days) * DAY + 12 * HOUR;
}

/** The gateway, and the time ranges it is queried for. */
function listened() {
  const asked: [since: number, until: number][] = [];
  const listCharges = (since: number, until: number) => {
    asked.push([since, until]);
    return simulated().listCharges(since, until);
  };
  return { asked, gateway: { ...simulated(), listCharges } };
}

/** Uses up the accounts' balances, and charges top-ups. */
async function chargeLow(...accounts: string[]): Promise<void> {
  await use(books, Object.fromEntries(accounts.map((id) => [id, 5_000_000n])));
  const clock = { startAt: Date.now(), stepMs: HOUR };
  const lowOnes = accounts.map(toAccountId);
  await paymentsByClock(books, { gatewayUrl: gateway.url, ...clock, lowOnes }).pass(0);
}

function simulated() {
  return openSimulatedGateway({ url: gateway.url, webhookSecret: WEBHOOK_SECRET });
}

// biome-ignore lint/correctness/useYield: it fails before it lists anything
async function* neverListed(): AsyncGenerator<never> {
  throw new OutcomeUnknown("the gateway is away");
}

async function compare(at = simulated(), now = Date.now()): Promise<void> {
  await compareCharges({ database: books.database, gateway: at, now: () => now });
}

async function named(): Promise<string[]> {
  return (await listUnmatched(books.database, null)).map(({ accountId }) => accountId);
}

/** The books, whose server seems to have this start. */
function seenAs(start: () => string): Database {
  const pool = books.database;
  const query = (asked: string | { readonly text: string }, values?: unknown[]) =>
    typeof asked !== "string" && asked.text.includes("pg_control_system")
      ? Promise.resolve({ rows: [{ start: start(), history: null, position: 0n }] })
      : pool.query(asked as string, values);
  return new Proxy(pool, { get: (of, name) => (name === "query" ? query : Reflect.get(of, name)) });
}
