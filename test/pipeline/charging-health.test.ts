/** The health of charging: a claim or a payment that hangs, payments that nobody takes, outcomes that stay unknown. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { paymentCharging } from "../../services/top-up/charge-payments.ts";
import { checkPayments } from "../../services/top-up/check-payments.ts";
import type { PaymentGateway } from "../../services/top-up/gateways/payment-gateway.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { serverReader } from "../../shared/ledger/postgres/server-start.ts";
import { openHealth } from "../../shared/runtime/health/health.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { claim, openCardHolder, pendingTopUp } from "../support/books/card-holders.ts";
import { sellCredits } from "../support/books/payers.ts";
import { DAY, NOON } from "../support/core/examples.ts";
import { eventually } from "../support/eventually.ts";
import { silent } from "../support/kafka/kafka.ts";

const LEASE_MS = 60_000;
const LIMIT_MS = 60_000;
const PENDING_MS = 600_000;

let books: Books;
/** The process's own clock. */
let elapsed: number;
let server: string;

beforeEach(async () => {
  books = await openBooks();
  ({ start: server } = await serverReader(books.database)());
  await sellCredits(books);
  await openCardHolder(books, "acme", NOON - DAY);
  await pendingTopUp(books, "acme", NOON);
  elapsed = 0;
  vi.spyOn(performance, "now").mockImplementation(() => elapsed);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await books.close();
});

const hang = () => new Promise<never>(() => undefined);

describe("charging", () => {
  function charge(given: { database?: Database; gateway?: Partial<PaymentGateway> }) {
    const stop = new AbortController();
    const { signal: stopping } = stop;
    const charging = paymentCharging({
      ...{ database: books.database, logger: silent, now: () => NOON, stopping, settle: hang },
      ...given,
      gateway: { name: "simulated", ...given.gateway } as PaymentGateway,
      waits: retryOutages({ logger: silent, stopping }),
      comparedOn: () => server,
    });
    void charging.run();
    onTestFinished(() => stop.abort());
    return charging;
  }

  test("stands still when a claim hangs", () => {
    const charging = charge({ database: { connect: hang, query: hang } as object as Database });
    elapsed = 5_000 + LIMIT_MS;
    expect(charging.standsForMs()).toBe(LIMIT_MS);
  });

  test("stands still when a payment hangs for longer than its lease, and not while the gateway may answer", async () => {
    const asked = vi.fn(hang);
    const charging = charge({ gateway: { charge: asked } });
    await eventually("the gateway is asked", () => asked.mock.calls.length === 1);
    elapsed = LEASE_MS;
    await eventually("claims go on", () => charging.standsForMs() === 0);
    elapsed = LEASE_MS + LIMIT_MS;
    expect(charging.standsForMs()).toBeGreaterThanOrEqual(LIMIT_MS);
    await eventually("claims go on", () => charging.standsForMs() === LIMIT_MS);
  });
});

describe("payments", () => {
  function check(now: number) {
    const at = { now };
    const health = openHealth(LIMIT_MS, new AbortController().signal);
    let failing: { reason: string; forMs: number } | null = null;
    const watched = {
      gateway: { name: "simulated" } as PaymentGateway,
      failing: () => failing,
    };
    const limits = { limitMs: LIMIT_MS, pendingMs: PENDING_MS };
    checkPayments(health, {
      ...{ database: books.database, watched, ...limits },
      ...{ comparedOn: () => server, now: () => at.now },
    });
    return {
      fail() {
        failing = { reason: "no answer", forMs: 1 };
      },
      async foundAfter(ms: number) {
        at.now += ms;
        elapsed += ms;
        return (await health.readiness())["payments"] ?? null;
      },
    };
  }

  test("that are due and that nobody takes are named since they were seen, until one is taken", async () => {
    const { foundAfter } = check(NOON);
    expect(await foundAfter(0)).toBeNull();
    expect(await foundAfter(LIMIT_MS - 1)).toBeNull();
    expect((await foundAfter(1_001))?.reason).toBe("payments are due, and no process takes them");
    await claim(books, NOON + LIMIT_MS + 1_000);
    expect(await foundAfter(1_001)).toBeNull();
  });

  test("whose outcome has been unknown for long are named while the gateway answers", async () => {
    await claim(books, NOON);
    await books.database.query("UPDATE payment SET next_try_at = 'infinity'");
    const { foundAfter, fail } = check(NOON);
    expect(await foundAfter(PENDING_MS)).toBeNull();
    const found = await foundAfter(1_001);
    expect(found?.reason).toBe("the gateway answers, but payments have been pending for long: 1");
    expect(Date.now() - (found?.since ?? 0)).toBeGreaterThanOrEqual(PENDING_MS + 1_001);
    fail();
    expect(await foundAfter(1_001)).toBeNull();
  });
});
