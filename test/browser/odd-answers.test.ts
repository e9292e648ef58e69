/** Answers that the real services cannot produce on demand are substituted on the way to the page. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAccount } from "../support/books/books.ts";
import { TURN_MS } from "../support/processes/top-up-process.ts";
import { IS_SKIPPED, startChromium } from "./chromium.ts";
import { openDashboard, openPage, shows, tokenOf, WITHIN, watchNumbers } from "./open-page.ts";
import { accountName, type RunningServices, startServices } from "./running-services.ts";

const ACCOUNT = accountName("odd");

describe.skipIf(IS_SKIPPED)("the dashboard, given odd answers,", () => {
  let browser: Browser;
  let services: RunningServices;

  beforeAll(async () => {
    browser = await startChromium();
    services = await startServices((books) =>
      openAccount(books, ACCOUNT, { lots: [{ credits: 100_000_000n }] }),
    );
  }, TURN_MS);
  afterAll(async () => {
    await browser?.close();
    await services?.stop();
  });

  /** Not opened yet, so that the first answers can be substituted. */
  async function openLater() {
    const { page } = await openPage(browser);
    const token = await tokenOf(services, ACCOUNT);
    return { page, open: () => page.goto(`${services.wire.url}/dashboard/#token=${token}`) };
  }

  it("never goes back to an older version", async () => {
    const { page, open } = await openLater();
    const old = { account_id: ACCOUNT, version: "0", granted: "0", position: "0", balance: "0" };
    const body = `id: 1\nevent: balance\ndata: ${JSON.stringify(old)}\n\n`;
    await open();
    await shows(page, "100.00");
    const numbers = await watchNumbers(page);
    let told = 0;
    await page.route("**/stream", (route) => {
      told++;
      return route.fulfill({ contentType: "text/event-stream", body });
    });
    services.wire.cut();
    services.wire.mend();
    await expect.poll(() => told, WITHIN).toBeGreaterThan(1);
    expect(await numbers()).toEqual(["100.00"]);
  });

  it("shows what could not be loaded, and loads it on retry", async () => {
    const { page, open } = await openLater();
    await page.route("**/lots?*", (route) =>
      route.fulfill({ status: 503, json: { title: "unavailable", detail: "the books are away" } }),
    );
    await open();
    await page.getByText("The books are away.").waitFor(WITHIN);
    await page.unroute("**/lots?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("100 of 100 left").waitFor(WITHIN);
  });

  it("keeps the space of what is not loaded yet", async () => {
    const { page, open } = await openLater();
    await page.route(`**/v1/**`, () => new Promise(() => undefined));
    await open();
    await page.getByText("Loading the balance").waitFor({ state: "attached", ...WITHIN });
    expect(await page.getByTestId("balance").count()).toBe(0);
  });

  it("shows where nothing has happened yet", async () => {
    const { page } = await openDashboard(browser, services, ACCOUNT);
    await page.getByText("No payments yet.").waitFor(WITHIN);
    await page.getByText("Nothing was spent in the last 30 days.").waitFor(WITHIN);
  });

  it("shows foreign input as plain text", async () => {
    const { page, open } = await openLater();
    await page.route("**/usage-records?*", (route) => route.fulfill({ json: WRITTEN }));
    await open();
    await page.getByText("agent <b>anna</b>").waitFor(WITHIN);
  });
});

const WRITTEN = {
  items: [
    {
      ...{ event_id: "event-1", meter: "call", quantity: "1", credits: "1000000", source: "" },
      ...{ occurred_at: new Date().toISOString(), dimensions: { agent: "<b>anna</b>" } },
    },
  ],
  next_cursor: null,
};
