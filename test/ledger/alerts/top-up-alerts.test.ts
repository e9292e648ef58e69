import { describe, expect, test } from "vitest";
import { DEFAULT_ALERTS } from "../../../shared/core/alerts/alert-settings.ts";
import { setAlerts } from "../../../shared/ledger/alerts/alert-settings.ts";
import { listAlerts } from "../../../shared/ledger/alerts/list-alerts.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { declined, newest, PAID } from "../../support/books/card-holders.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { payerOfTest, TEN_DOLLARS } from "../../support/books/payer-of-test.ts";
import { use } from "../../support/books/payers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

/** Alerts of auto top-up, in real Postgres, with the clock passed in and no gateway. */
const payer = payerOfTest();

async function watch(topUps = true): Promise<void> {
  const by = { accountId: payer.accountId, now: NOON, by: "test" };
  const settings = { ...DEFAULT_ALERTS, monthPercents: [], runwayDays: null, topUps };
  await setAlerts(payer.database, by, settings);
}

/** Oldest first. */
async function raised() {
  const all = { before: null, limit: 100 };
  const alerts = await inTransaction(payer.database, (transaction) =>
    listAlerts(transaction, payer.accountId, all),
  );
  return alerts.reverse();
}

describe("auto top-up", () => {
  test("that is declined is said once for each payment, with the reason, and not that it waits, too", async () => {
    await payer.runLow();
    await watch();
    await payer.look();
    await settlePayment(payer.database, await newest(payer.books, payer.id), declined(), NOON + 1);
    await payer.look(NOON + 2);
    const alerts = (await raised()).filter(({ kind }) => kind !== "top_up_month");
    expect(alerts).toMatchObject([
      { kind: "top_up_declined", window: "low-balance:1", cause: "top-up:low-balance:1" },
    ]);
    expect(alerts[0]?.reason).toMatch(/\.$/);
  });

  test("is not told of where that is not asked for", async () => {
    await payer.runLow();
    await watch(false);
    await payer.look();
    await settlePayment(payer.database, await newest(payer.books, payer.id), declined(), NOON + 1);
    expect((await raised()).filter(({ kind }) => kind === "top_up_declined")).toEqual([]);
  });

  test("that comes near the month's limit is said once for each level", async () => {
    await payer.runLow();
    await payer.setAutoTopUp(NOON, { amount: 1_000n, limitPerMonth: 2_000n, limitPerDay: 2_000n });
    await watch();
    for (const day of [0, 1]) {
      await payer.look(NOON + day * DAY);
      await payer.look(NOON + day * DAY);
      await settlePayment(
        payer.database,
        await newest(payer.books, payer.id),
        PAID,
        NOON + day * DAY + 1,
      );
      await use(payer.books, { [payer.id]: TEN_DOLLARS }, NOON + day * DAY + 2);
    }
    expect(await raised()).toMatchObject([
      { kind: "top_up_month", level: 50, used: 1_000n, limit: 2_000n, currency: "USD" },
      { level: 80, used: 2_000n },
      { level: 100, reason: expect.stringContaining("USD 20.00 of USD 20.00") },
    ]);
    // Nothing is left of it.
    await payer.look(NOON + 2 * DAY);
    expect((await raised()).at(-1)).toMatchObject({ kind: "top_up_paused" });
  });
});
