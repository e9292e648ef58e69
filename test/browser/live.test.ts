/** The dashboard in a real browser, on the real services: what a customer sees as it happens. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { readAutoTopUp } from "../../shared/ledger/books/auto-top-ups.ts";
import { setBudget } from "../../shared/ledger/budgets/set-budget.ts";
import { openAccount } from "../support/books/books.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { balanceOf, openPayer } from "../support/books/payers.ts";
import { zoneAtNoon } from "../support/books/zone-at-noon.ts";
import { eventually } from "../support/eventually.ts";
import { TURN_MS } from "../support/processes/top-up-process.ts";
import { IS_SKIPPED, startChromium } from "./chromium.ts";
import { offerAsDemo, spend } from "./offer.ts";
import { openDashboard, shows, WITHIN, watchNumbers } from "./open-page.ts";
import { accountName, type RunningServices, startServices } from "./running-services.ts";

const CREDIT = 1_000_000n;

describe.skipIf(IS_SKIPPED)("a customer's dashboard", () => {
  let browser: Browser;
  let services: RunningServices;

  beforeAll(async () => {
    browser = await startChromium();
    services = await startServices((books) => offerAsDemo(books, Date.now()));
  }, TURN_MS);
  afterAll(async () => {
    await browser?.close();
    await services?.stop();
  });

  async function openWith(credits: bigint): Promise<string> {
    const account = accountName("browser");
    await openAccount(services.books, account, {
      ...{ lots: [{ credits: credits * CREDIT }], timeZone: zoneAtNoon() },
    });
    return account;
  }

  it("shows the balance, takes the token out of the address, and breaks no policy", async () => {
    const account = await openWith(12_514n);
    const { page, broken } = await openDashboard(browser, services, account);
    await shows(page, "12,514.00");
    await page.getByText("live", { exact: true }).waitFor(WITHIN);
    expect(page.url()).not.toContain("ddt_");
    expect(broken).toEqual([]);
  });

  it("requests nothing over TLS on a host without it", async () => {
    const { headers } = await fetch(`${services.wire.url}/dashboard/`);
    const policy = headers.get("content-security-policy");
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain("upgrade-insecure-requests");
  });

  it("lets the balance fall as an event is published, without reloading", async () => {
    const account = await openWith(10_000n);
    const { page } = await openDashboard(browser, services, account);
    await shows(page, "10,000.00");
    const numbers = await watchNumbers(page);
    await spend(services, account, 12n);
    await shows(page, "9,988.00");
    await page.getByText("9,988 of 10,000 left").waitFor(WITHIN);
    await page
      .getByRole("list", { name: "Activity" })
      .getByText("−12", { exact: true })
      .waitFor(WITHIN);
    // A reload of the page would have removed the watched value.
    expect(await numbers()).toEqual(["10,000.00", "9,988.00"]);
  });

  it("groups spend by what prices depend on, under its names, and remembers it", async () => {
    const account = await openWith(10_000n);
    const source = "assistant";
    await services.usage.publish([
      {
        ...{ eventId: `${account}-1`, accountId: account, meter: "assistant.tokens", source },
        ...{ quantity: 1_000_000n, dimensions: { model: "sonata", kind: "input" } },
      },
      {
        ...{ eventId: `${account}-2`, accountId: account, meter: "kb.queries", source },
        ...{ quantity: 20n, dimensions: { agent: "anna" } },
      },
    ]);
    await untilBooks(account, 9_996n);
    const { page } = await openDashboard(browser, services, account);
    const by = page.locator(".choices select");
    const spent = page.locator(".spent-on");
    await spent.getByText("Assistant").waitFor(WITHIN);
    await expect
      .poll(() => by.locator("option").allTextContents(), WITHIN)
      .toEqual(["meter", "source", "Model", "Kind of token", "agent"]);
    await by.selectOption({ label: "Model" });
    await page.getByText("credits in the last 30 days, by Model").waitFor(WITHIN);
    expect(await spent.locator("tbody th").allTextContents()).toEqual([
      expect.stringMatching(/^Sonata/),
      expect.stringMatching(/^not set/),
    ]);
    await page.getByRole("list", { name: "Activity" }).getByText("Model Sonata").waitFor(WITHIN);
    await page.reload();
    await page.getByText("credits in the last 30 days, by Model").waitFor(WITHIN);
    expect(await by.inputValue()).toBe("dimension model");
  });

  it("shows what is held of the balance, and budgets by how full they are, as they change", async () => {
    const account = await openWith(100n);
    const asked = { accountId: toAccountId(account), now: Date.now(), by: "test" };
    const budget = (value: string, credits: bigint) =>
      setBudget(services.books.database, asked, {
        ...{ dimension: "team", window: "month", value, credits: credits * CREDIT },
      });
    await budget("search", 40n);
    await budget("ads", 10n);
    const { page } = await openDashboard(browser, services, account);
    await shows(page, "100.00");
    const budgets = page.getByRole("list", { name: "Budgets" }).locator("li");
    await budgets.getByText("team search, this month").waitFor(WITHIN);
    await changeHold(services.books, askedHold(account, "run", 25n * CREDIT));
    await page.getByTestId("held").getByText("75.00 available").waitFor(WITHIN);
    await spend(services, account, 12n, { team: "search" });
    await budgets.getByText("12 of 40 credits").waitFor(WITHIN);
    expect(await budgets.allTextContents()).toEqual([
      expect.stringMatching(/^team search, this month.*30%$/),
      expect.stringMatching(/^team ads, this month.*0%$/),
    ]);
  });

  it("shows the top-up of a low balance pending, and then its credits", async () => {
    const account = accountName("browser");
    await openPayer(services.books, account, { credits: 20n * CREDIT, timeZone: zoneAtNoon() });
    const { page } = await openDashboard(browser, services, account);
    await shows(page, "20.00");
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    services.gate.beforeCall = () => answered;
    await spend(services, account, 21n);
    await shows(page, "1.00");
    const topUps = page.getByRole("list", { name: "Payments" });
    await topUps.getByText("pending").waitFor(WITHIN);
    await topUps.getByText("will add 500 credits").waitFor(WITHIN);
    await page
      .getByText("500 credits are on their way: an automatic top-up of USD 10.00")
      .waitFor(WITHIN);
    await topUps.getByText("The balance was -1 credits; auto top-up buys more").waitFor(WITHIN);
    await page
      .getByText("At most USD 500.00 a month; USD 10.00 charged this month.")
      .waitFor(WITHIN);
    await shows(page, "1.00");
    answer();
    await topUps.getByText("succeeded").waitFor(WITHIN);
    await shows(page, "499.00");
    expect(await topUps.getByText("pending").count()).toBe(0);
    expect(await page.getByText("on their way").count()).toBe(0);
    expect(await balanceOf(services.books, account)).toBe(499n * CREDIT);
  });

  it("shows why a top-up was declined", async () => {
    const account = accountName("browser");
    await openPayer(services.books, account, { card: "card_decline", credits: 5n * CREDIT });
    const { page } = await openDashboard(browser, services, account);
    await shows(page, "5.00");
    await page.getByRole("button", { name: "Top up" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Top up" }).click();
    const topUps = page.getByRole("list", { name: "Payments" });
    await topUps.getByText("failed").waitFor(WITHIN);
    await topUps.getByText(/does not have enough funds/i).waitFor(WITHIN);
    await shows(page, "5.00");
  });

  it("changes the amount of auto top-up in its dialog, and the change is stored", async () => {
    const account = await openWith(100n);
    const { page } = await openDashboard(browser, services, account);
    await page.getByText("USD 10.00 at 0 credits").waitFor(WITHIN);
    await page.getByRole("button", { name: "Change auto top-up" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("For", { exact: true }).fill("ten");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.locator("[aria-invalid=true]").waitFor(WITHIN);
    await dialog.getByLabel("For", { exact: true }).fill("25.50");
    await dialog.getByLabel("When there are no more than").fill("40");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "hidden", ...WITHIN });
    await page.getByText("USD 25.50 at 40 credits").waitFor(WITHIN);
    await page.reload();
    await page.getByText("USD 25.50 at 40 credits").waitFor(WITHIN);
    const kept = await readAutoTopUp(services.books.database, toAccountId(account));
    expect(kept).toMatchObject({ enabled: true, amount: 2_550n });
  });

  it("shows that it reconnects while the connection is cut, and then the right number", async () => {
    const account = await openWith(10_000n);
    const { page } = await openDashboard(browser, services, account);
    await shows(page, "10,000.00");
    await page.getByText("live", { exact: true }).waitFor(WITHIN);
    const numbers = await watchNumbers(page);
    services.wire.cut();
    await page.getByText(/^reconnecting · as of \d\d:\d\d:\d\d$/).waitFor(WITHIN);
    await spend(services, account, 500n);
    await untilBooks(account, 9_500n);
    await shows(page, "10,000.00");
    services.wire.mend();
    await shows(page, "9,500.00");
    await page.getByText("live", { exact: true }).waitFor(WITHIN);
    await page.getByText("9,500 of 10,000 left").waitFor(WITHIN);
    expect(await numbers()).toEqual(["10,000.00", "9,500.00"]);
  });

  it("reconnects by itself after the API was killed and another one started", async () => {
    const account = await openWith(1_000n);
    const { page } = await openDashboard(browser, services, account);
    await shows(page, "1,000.00");
    await page.getByText("live", { exact: true }).waitFor(WITHIN);
    const numbers = await watchNumbers(page);
    await services.restartApi();
    await spend(services, account, 1n);
    await shows(page, "999.00");
    await spend(services, account, 1n);
    await shows(page, "998.00");
    expect(await numbers()).toEqual(["1,000.00", "999.00", "998.00"]);
  });

  it("shows debt below zero", async () => {
    const account = await openWith(100n);
    const { page } = await openDashboard(browser, services, account);
    await spend(services, account, 150n);
    await page.getByRole("heading", { name: "Owed", exact: true }).waitFor(WITHIN);
    await shows(page, "50.00");
    await page.getByText("Owed, below zero").waitFor(WITHIN);
  });

  async function untilBooks(account: string, credits: bigint): Promise<void> {
    await eventually(
      `the balance of ${account} is ${credits}`,
      async () => (await balanceOf(services.books, account)) === credits * CREDIT,
    );
  }
});
