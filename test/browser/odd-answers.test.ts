/** Answers that the real services cannot produce on demand are substituted on the way to the page. */
import { resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAccount } from "../support/books/books.ts";
import { TURN_MS } from "../support/processes/top-up-process.ts";
import { IS_SKIPPED, startChromium } from "./chromium.ts";
import {
  DESKTOP,
  openDashboard,
  openPage,
  PHONE,
  shows,
  tokenOf,
  WITHIN,
  watchNumbers,
} from "./open-page.ts";
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

  it.each([
    ["desktop", "light", DESKTOP],
    ["desktop", "dark", DESKTOP],
    ["phone", "light", PHONE],
    ["phone", "dark", PHONE],
  ] as const)("keeps in shape what is long, large and many: %s, %s", async (...look) => {
    const [device, colorScheme, viewport] = look;
    const { page } = await openPage(browser, { ...viewport, colorScheme });
    const token = await tokenOf(services, ACCOUNT);
    await page.route("**/lots?*", (route) => route.fulfill({ json: manyLots() }));
    await page.route("**/usage?*", (route) => route.fulfill({ json: manyMeters() }));
    await page.route("**/entries?*", (route) => route.fulfill({ json: LONG_ENTRY }));
    await page.route("**/stream", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: HUGE_BALANCE }),
    );
    await page.goto(`${services.wire.url}/dashboard/#token=${token}`);
    await page.getByRole("button", { name: "Show all 46" }).waitFor(WITHIN);
    expect(await page.locator("button.lot").count()).toBe(8);
    await page.getByText("9,223,372,036,853.77").first().waitFor(WITHIN);
    const height = "document.querySelector('[data-testid=balance]').getClientRects().length";
    expect(await page.evaluate(height)).toBe(1);
    const bar = page.locator(".bar-buttons button").last();
    await bar.dispatchEvent("mouseenter");
    for (const name of ["meter 1", "meter 11"]) {
      await page
        .locator(".readout")
        .getByText(new RegExp(`${name} `))
        .waitFor(WITHIN);
    }
    const colours = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.spent-on .fill')].map((fill) => getComputedStyle(fill).backgroundColor)",
    );
    expect(new Set(colours).size).toBe(11);
    const picture = `many-${device}-${colorScheme}.png`;
    const path = resolve(import.meta.dirname, "screenshots", picture);
    await page.screenshot({ path, fullPage: true });
    const { width } = viewport.viewport;
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await page.getByRole("button", { name: "Show all 46" }).click();
    await expect.poll(() => page.locator("button.lot").count(), WITHIN).toBe(46);
  });

  it("shows a debt as what is owed", async () => {
    const { page, open } = await openLater();
    const owing = { ...LINE, granted: "0", position: "40000000", balance: "-40000000" };
    await page.route("**/stream", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: balanceEvent(owing) }),
    );
    await open();
    await page.getByRole("heading", { name: "Owed" }).waitFor(WITHIN);
    await shows(page, "40.00");
  });

  it("shows foreign input as plain text", async () => {
    const { page, open } = await openLater();
    await page.route("**/usage-records?*", (route) => route.fulfill({ json: WRITTEN }));
    await open();
    await page.getByText("agent <b>anna</b>").waitFor(WITHIN);
  });
});

const LINE = { account_id: ACCOUNT, version: "99", changed_at: new Date().toISOString() };

function balanceEvent(line: Readonly<Record<string, string>>): string {
  return `id: 1\nevent: balance\ndata: ${JSON.stringify(line)}\n\n`;
}

const MOST = "9223372036853775807";
const HUGE_BALANCE = balanceEvent({ ...LINE, granted: MOST, position: "0", balance: MOST });
const LONG = "a-reference-without-any-blank-".repeat(9);

function manyLots() {
  const items = Array.from({ length: 46 }, (_, i) => ({
    ...{ lot_id: `lot-${i}`, source: "promotion", reference: i === 0 ? LONG : `gift ${i}` },
    ...{ start: String(i * 1_000_000), end: i === 45 ? MOST : String((i + 1) * 1_000_000) },
    ...{ granted_at: new Date().toISOString(), expires_at: null },
  }));
  return { items, next_cursor: null };
}

function manyMeters() {
  const buckets = Array.from({ length: 11 }, (_, i) => ({
    ...{ at: new Date().toISOString(), key: `meter.${i + 1}`, events: "3", quantity: "12" },
    credits: String((20 - i) * 1_111_111),
  }));
  return { buckets, add_ons: [] };
}

const LONG_ENTRY = {
  items: [
    {
      ...{ sequence: "1", kind: "grant", credits: MOST, balance: MOST, reference: LONG },
      ...{ posted_at: new Date().toISOString(), lot_id: null },
    },
  ],
  next_cursor: null,
};

const WRITTEN = {
  items: [
    {
      ...{ event_id: "event-1", meter: "call", quantity: "1", credits: "1000000", source: "" },
      ...{ occurred_at: new Date().toISOString(), dimensions: { agent: "<b>anna</b>" } },
    },
  ],
  next_cursor: null,
};
