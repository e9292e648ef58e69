/** Access in a real browser: an account's link opens that account, until it expires. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeApiKey } from "../../shared/ledger/access/make-access.ts";
import { openAccount } from "../support/books/books.ts";
import { TURN_MS } from "../support/processes/top-up-process.ts";
import { IS_SKIPPED, startChromium } from "./chromium.ts";
import { offerAsDemo, spend } from "./offer.ts";
import { openDashboard, openPage, shows, tokenOf, WITHIN } from "./open-page.ts";
import { accountName, type RunningServices, startServices } from "./running-services.ts";

const ANNA = accountName("anna");
const BEN = accountName("ben");
const PATHS = ["", "/balance", "/lots", "/entries", "/usage", "/usage-records", "/top-ups"];

describe.skipIf(IS_SKIPPED)("a dashboard link", () => {
  let browser: Browser;
  let services: RunningServices;

  beforeAll(async () => {
    browser = await startChromium();
    services = await startServices(async (books) => {
      await offerAsDemo(books, Date.now());
      await openAccount(books, ANNA, { lots: [{ credits: 700_000_000n }] });
      await openAccount(books, BEN, { lots: [{ credits: 300_000_000n }] });
    });
  }, TURN_MS);
  afterAll(async () => {
    await browser?.close();
    await services?.stop();
  });

  it("shows its own account, and updates with that one only", async () => {
    const [{ page: anna }, { page: ben }] = await Promise.all([
      openDashboard(browser, services, ANNA),
      openDashboard(browser, services, BEN),
    ]);
    await shows(anna, "700.00");
    await shows(ben, "300.00");
    await spend(services, BEN, 1n);
    await shows(ben, "299.00");
    await spend(services, ANNA, 1n);
    await shows(anna, "699.00");
    await shows(ben, "299.00");
    expect(await anna.getByText(BEN).count()).toBe(0);
    expect(await ben.getByText(ANNA).count()).toBe(0);
  });

  it("opens no other account, whatever is requested with it", async () => {
    const { page } = await openDashboard(browser, services, ANNA);
    await shows(page, "699.00");
    const headers = { authorization: `Bearer ${await tokenOf(services, ANNA)}` };
    for (const path of [...PATHS, "/stream"]) {
      const url = `${services.wire.url}/v1/accounts/${BEN}${path}`;
      const answer = await page.request.get(url, { headers });
      expect([path, answer.status()]).toEqual([path, 403]);
      expect(await answer.text()).not.toMatch(/299|300/);
    }
  });

  it("for reading only offers no change", async () => {
    const token = await tokenOf(services, ANNA, { readOnly: true });
    const { page } = await openDashboard(browser, services, ANNA, { token });
    await shows(page, "699.00");
    await page.getByText("No payments yet.").waitFor(WITHIN);
    for (const name of ["Top up", "Change auto top-up"]) {
      expect([name, await page.getByRole("button", { name }).count()]).toEqual([name, 0]);
    }
  });

  it("made to name another account shows nothing", async () => {
    const [secret] = /[\w-]{43}$/.exec(await tokenOf(services, ANNA)) ?? [];
    const token = `ddt_${Buffer.from(BEN).toString("base64url")}_${secret}`;
    const { page } = await openDashboard(browser, services, BEN, { token });
    await page.getByRole("heading", { name: "This link has expired" }).waitFor(WITHIN);
    expect(await page.getByTestId("balance").count()).toBe(0);
  });

  it("shows that it has expired while the page is open", async () => {
    const token = await tokenOf(services, ANNA, { forMs: 4_000 });
    const { page } = await openDashboard(browser, services, ANNA, { token });
    await page.getByRole("heading", { name: "This link has expired" }).waitFor(WITHIN);
    expect(await page.getByTestId("balance").count()).toBe(0);
  });

  it("with a key in it opens nothing: the operators' page asks for one, and keeps it from the address", async () => {
    const { page, broken } = await openPage(browser);
    const now = Date.now();
    const made = { name: "page", scopes: ["metrics"], createdBy: "test", now } as const;
    const { text: key } = await makeApiKey(services.books.database, made);
    const address = `${services.wire.url}/dashboard/#operators`;
    const signIn = async (text: string) => {
      await page.getByLabel("API key").fill(text);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await page.goto(`${services.wire.url}/dashboard/#key=${key}`);
    await page.getByText("The link held a key").waitFor(WITHIN);
    expect(page.url()).toBe(address);
    await signIn("nonsense");
    await page.getByText("That is not an API key.").waitFor(WITHIN);
    await signIn(key.slice(0, -1) + (key.endsWith("A") ? "B" : "A"));
    await page.getByText("The key or token is unknown, revoked or expired.").waitFor(WITHIN);
    await signIn(` ${key} `);
    await page.getByText("Events a second").waitFor(WITHIN);
    await page.reload();
    await page.getByText("Events a second").waitFor(WITHIN);
    expect(page.url()).toBe(address);
    expect(await page.evaluate("localStorage.length + document.cookie.length")).toBe(0);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to the operators' page" }).waitFor(WITHIN);
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    expect(broken).toEqual([]);
  });

  it("with the scope admin makes webhook endpoints on the operators' page, whose secret it shows once, and pauses them", async () => {
    const { page, broken } = await openPage(browser);
    const made = {
      name: "webhooks",
      scopes: ["admin"],
      createdBy: "test",
      now: Date.now(),
    } as const;
    const { text: key } = await makeApiKey(services.books.database, made);
    await page.goto(`${services.wire.url}/dashboard/#operators`);
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No endpoint yet.").waitFor(WITHIN);
    await page.getByText("New endpoint").click();
    await page.getByLabel("URL").fill("https://127.0.0.1/");
    await page.getByLabel("billing.alerts").check();
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("is not a public address").waitFor(WITHIN);
    await page.getByLabel("URL").fill("https://8.8.8.8/");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText(/^whsec_/).waitFor(WITHIN);
    await page.getByRole("button", { name: "Pause 8.8.8.8" }).click();
    await page.getByText(/^paused .*, by key:/).waitFor(WITHIN);
    await page.reload();
    await page.getByRole("button", { name: "Resume 8.8.8.8" }).waitFor(WITHIN);
    expect(await page.getByText(/whsec_/).count()).toBe(0);
    expect(broken).toEqual([]);
  });

  it("is needed: without one the page explains how to get one", async () => {
    const { page } = await openPage(browser);
    await page.goto(`${services.wire.url}/dashboard/`);
    await page.getByRole("heading", { name: "This page opens with a link" }).waitFor(WITHIN);
  });
});
