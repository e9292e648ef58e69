import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { CHROMIUM, startChromium } from "./chromium.ts";
import { lineOf, type StubAccount, stubAccount } from "./stub-account.ts";
import { type StubServer, startStub } from "./stub-server.ts";

const PHONE = { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true };
const WITHIN = { timeout: 10_000 };
const CREDIT = 1_000_000n;

describe.skipIf(CHROMIUM === null)("the dashboard in a browser", () => {
  let browser: Browser;
  let directory = "";

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "dashboard-"));
    const root = resolve(import.meta.dirname, "../../services/dashboard");
    await build({ root, logLevel: "silent", build: { outDir: directory } });
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(account: StubAccount, options: BrowserContextOptions = {}) {
    const server = await startStub(directory, account);
    onTestFinished(server.stop);
    const context = await browser.newContext({
      viewport: { width: 1180, height: 900 },
      ...options,
    });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const broken: string[] = [];
    page.on("pageerror", (error) => broken.push(String(error)));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) broken.push(message.text());
    });
    await page.goto(server.link);
    return { page, server, broken };
  }

  it("shows the balance, and takes the token out of the address", async () => {
    const { page, broken } = await open(stubAccount([10_000, 5_000], 2_486));
    await shows(page, "12,514.00");
    expect(page.url()).not.toContain("ddt_");
    expect(broken).toEqual([]);
  });

  it("follows the stream without reloading, and never back to an older version", async () => {
    const account = stubAccount([10_000], 0);
    const { page, server } = await open(account);
    await shows(page, "10,000.00");
    use(account, server, 12n);
    await shows(page, "9,988.00");
    const old = { ...lineOf(account), version: "1", position: "0", balance: "10000000000" };
    server.send("balance", old);
    use(account, server, 1n);
    await shows(page, "9,987.00");
  });

  it("says that it reconnects while the connection is cut, and then shows the right number", async () => {
    const account = stubAccount([10_000], 0);
    const { page, server } = await open(account);
    await shows(page, "10,000.00");
    server.cut();
    await page.getByText(/^reconnecting · as of \d\d:\d\d:\d\d$/).waitFor(WITHIN);
    use(account, server, 500n);
    await shows(page, "10,000.00");
    server.mend();
    await shows(page, "9,500.00");
    await page.getByText(/^live/).first().waitFor(WITHIN);
  });

  it("shows debt below zero", async () => {
    const { page } = await open(stubAccount([100], 150));
    await shows(page, "−50.00");
    await page.getByText("Owed, below zero").waitFor(WITHIN);
  });

  it("opens the usage behind a stretch with the keyboard, and gives the focus back", async () => {
    const { page } = await open(stubAccount([10_000, 5_000], 10));
    const stretch = page.getByRole("button", { name: /plan/ }).first();
    await stretch.focus();
    await page.keyboard.press("Enter");
    const usage = page.getByRole("dialog");
    await usage.getByRole("cell", { name: "12.48" }).waitFor(WITHIN);
    // What others wrote is text.
    expect(await usage.getByRole("cell", { name: "<b>anna</b>" }).count()).toBe(1);
    await page.keyboard.press("Escape");
    await page.locator("button.lot:focus").waitFor(WITHIN);
  });

  it("says so when the token has expired", async () => {
    const { page, server } = await open(stubAccount([100], 0));
    await shows(page, "100.00");
    server.expire();
    await page.getByRole("heading", { name: "This link has expired" }).waitFor(WITHIN);
  });

  it.each([
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["phone", PHONE],
  ] as const)("axe finds nothing serious: %s", async (_, options) => {
    const { page } = await open(stubAccount([10_000, 500, 5_000, 300], 2_486), options);
    await page.locator(".spent-on").waitFor(WITHIN);
    await page.locator("button.lot").first().waitFor(WITHIN);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(
      ({ impact }) => impact === "serious" || impact === "critical",
    );
    expect(serious.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });

  it("fits a phone", async () => {
    const { page } = await open(stubAccount([10_000, 500, 5_000, 300], 2_486), PHONE);
    await page.locator(".spent-on").waitFor(WITHIN);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });
});

/** Uses credits up, and tells it to whoever listens. */
function use(account: StubAccount, server: StubServer, credits: bigint): void {
  account.position += credits * CREDIT;
  account.version++;
  server.send("balance", lineOf(account));
}

async function shows(page: Page, balance: string): Promise<void> {
  await page.getByTestId("balance").getByText(balance, { exact: true }).waitFor(WITHIN);
}
