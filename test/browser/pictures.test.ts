/** The dashboard of an account in use for a while: pictures of it, and axe's findings. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pendingTopUp } from "../support/books/card-holders.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { TURN_MS } from "../support/processes/top-up-process.ts";
import { IS_SKIPPED, startChromium } from "./chromium.ts";
import { DAYS, openNorthwind, usageOfNorthwind } from "./northwind.ts";
import { offerAsDemo } from "./offer.ts";
import { DESKTOP, openDashboard, PHONE, WITHIN } from "./open-page.ts";
import { type RunningServices, startServices } from "./running-services.ts";

const ACCOUNT = "northwind";
const SCREENSHOTS = resolve(import.meta.dirname, "screenshots");
const DAY_MS = 86_400_000;

/** Down to the end of the spend section. */
const HEIGHTS = { light: 1_150, dark: 1_150, phone: 2_010 } as const;
const MOST_BYTES = 200 * 1024;

const LOOKS = [
  ["light", { ...DESKTOP, colorScheme: "light" }],
  ["dark", { ...DESKTOP, colorScheme: "dark" }],
  ["phone", { ...PHONE, colorScheme: "light" }],
] as const satisfies readonly (readonly [string, BrowserContextOptions])[];

describe.skipIf(IS_SKIPPED)("the dashboard of a busy account", () => {
  let browser: Browser;
  let services: RunningServices;
  const now = Date.now();

  beforeAll(async () => {
    browser = await startChromium();
    services = await startServices(async (books) => {
      await offerAsDemo(books, now - (DAYS + 1) * DAY_MS);
      await openNorthwind(books, ACCOUNT, now);
    });
    await services.usage.publish(usageOfNorthwind(ACCOUNT, now));
    await untilCaughtUp(testKafka(), services.books.database);
    // The bank does not answer while pictures are taken.
    services.gate.beforeCall = () => new Promise(() => undefined);
    const third = { paymentId: "manual:third", amount: 2_500n };
    await pendingTopUp(services.books, ACCOUNT, Date.now(), third);
  }, TURN_MS);
  afterAll(async () => {
    await browser?.close();
    await services?.stop();
  });

  async function openWhole(options: BrowserContextOptions): Promise<Page> {
    const { page } = await openDashboard(browser, services, ACCOUNT, options);
    await page.locator(".spent-on").waitFor(WITHIN);
    await page.locator("button.lot").first().waitFor(WITHIN);
    await page.getByText("on their way").waitFor(WITHIN);
    await page.getByRole("list", { name: "Activity" }).waitFor(WITHIN);
    await page.getByText("live", { exact: true }).waitFor(WITHIN);
    return page;
  }

  it.each(LOOKS)("renders: %s", async (look, options) => {
    const page = await openWhole(options);
    await page.screenshot({ path: pictureOf(`whole-${look}`), fullPage: true });
    const { width } = options.viewport;
    const clip = { x: 0, y: 0, width, height: HEIGHTS[look] };
    const path = pictureOf(`dashboard-${look}`);
    const picture = await page.screenshot({ path, clip, fullPage: true });
    expect(picture.byteLength).toBeLessThan(MOST_BYTES);
  });

  it("renders: payments and activity", async () => {
    const page = await openWhole(DESKTOP);
    const path = pictureOf("dashboard-payments");
    const picture = await page.locator(".pair-of-cards.swapped").screenshot({ path });
    expect(picture.byteLength).toBeLessThan(MOST_BYTES);
  });

  it("renders: budgets", async () => {
    const page = await openWhole(DESKTOP);
    const card = page.getByRole("region", { name: "Budgets" });
    const picture = await card.screenshot({ path: pictureOf("dashboard-budgets") });
    expect(picture.byteLength).toBeLessThan(MOST_BYTES);
  });

  it.each(LOOKS)("has no serious finding of axe: %s", async (look, options) => {
    const page = await openWhole(options);
    expect(await seriousIn(page)).toEqual([]);
    await page.locator("button.lot").first().click();
    await page.getByRole("dialog").locator(".record").first().waitFor(WITHIN);
    await page.getByRole("dialog").locator(".over-row").first().click();
    await page.getByRole("list", { name: "Paid by" }).waitFor(WITHIN);
    await page.screenshot({ path: pictureOf(`usage-${look}`) });
    expect(await seriousIn(page)).toEqual([]);
  });

  it("exports all usage of a stretch, not the rows on the screen", async () => {
    const page = await openWhole(DESKTOP);
    await page.locator("button.lot").first().click();
    const dialog = page.getByRole("dialog");
    await dialog.locator(".record").first().waitFor(WITHIN);
    expect(await dialog.locator(".record").count()).toBe(50);
    const saved = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Export this usage as CSV" }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toMatch(/^northwind-usage-of-lot-.*\.csv$/);
    const text = await readFile(await download.path(), "utf8");
    const more = dialog.getByRole("button", { name: /Show more/ });
    while (await more.isVisible()) {
      const shown = await dialog.locator(".record").count();
      await more.click();
      await expect.poll(() => dialog.locator(".record").count(), WITHIN).toBeGreaterThan(shown);
    }
    expect(text.trimEnd().split("\r\n")).toHaveLength(
      1 + (await dialog.locator(".record").count()),
    );
  });

  it("includes add-ons in what was spent", async () => {
    const page = await openWhole(DESKTOP);
    await page.locator(".spent-on").getByText("(add-on)").first().waitFor(WITHIN);
  });

  it("is read by a German as a German writes: numbers, money, shares and dates", async () => {
    const page = await openWhole({ ...DESKTOP, locale: "de-DE" });
    expect(await page.getByTestId("balance").textContent()).toMatch(/^\d{1,3}(\.\d{3})*,\d\d$/);
    const settings = page.locator(".pairs");
    await settings.getByText("25,00 USD at 100 credits").waitFor(WITHIN);
    await settings.getByText(/ on \d{1,2}\. [A-Z]/).waitFor(WITHIN);
    await settings.getByText("Growth, paid monthly").waitFor(WITHIN);
    await page
      .getByRole("list", { name: "Payments" })
      .getByText("50,00 USD")
      .first()
      .waitFor(WITHIN);
    await page
      .getByRole("list", { name: "Activity" })
      .getByText("Searches")
      .first()
      .waitFor(WITHIN);
    const spent = page.locator(".spent-on tbody tr");
    const searches = await spent.filter({ hasText: "Searches" }).textContent();
    expect(searches).toMatch(/^Searches[\d.]+ queries in \d+ events[\d.,]+(\d+|under 1)\u00a0%$/);
    // Nowhere an English decimal, also not in references of the books.
    const text = await page.locator("#page").textContent();
    expect(text?.match(/\d\.\d{1,2}(?!\d).*/g)).toBeNull();
    await page.locator("button.lot").first().click();
    const record = page.getByRole("dialog").locator(".record").first();
    await record.waitFor(WITHIN);
    expect(await record.textContent()).toMatch(
      /^\d+\. [A-Z]\S+, \d\d:\d\d:\d\d(Voice|Text read|Text written|Searches)/,
    );
  });

  it("fits a phone", async () => {
    const page = await openWhole(PHONE);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  it("shows fees beside top-ups: pending, failed and succeeded", async () => {
    const page = await openWhole(DESKTOP);
    const payments = page.getByRole("list", { name: "Payments" });
    for (const said of ["pending", "failed", "succeeded", "Plan", "does not have enough funds"]) {
      await payments.getByText(new RegExp(said, "i")).first().waitFor(WITHIN);
    }
  });

  it("opens the usage behind a stretch with the keyboard, and gives the focus back", async () => {
    const page = await openWhole(DESKTOP);
    await page.getByRole("button", { name: /plan/ }).first().focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    const first = dialog.locator(".over-row").first();
    await first.waitFor(WITHIN);
    await first.focus();
    await page.keyboard.press("Enter");
    const paidBy = dialog.getByRole("list", { name: "Paid by" });
    await paidBy.getByText(/^[\d.]+ from \w+ plan$/).waitFor(WITHIN);
    await page.keyboard.press("Escape");
    await page.locator("button.lot:focus").waitFor(WITHIN);
  });
});

function pictureOf(name: string): string {
  return resolve(SCREENSHOTS, `${name}.png`);
}

async function seriousIn(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes[0]?.html]);
}
