import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { dashboardLinkKey, makeDashboardToken } from "../../shared/ledger/access/make-access.ts";
import type { RunningServices } from "./running-services.ts";

/** How long a page may take to show a change, on a busy machine. */
export const WITHIN = { timeout: 15_000 };
export const DESKTOP = { viewport: { width: 1180, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const AN_HOUR_MS = 3_600_000;

/** A page, and its problems: script errors, and violations of its policy. */
export interface OpenedPage {
  readonly page: Page;
  readonly broken: readonly string[];
}

/** A dashboard token for an account, made as `drawdown dashboard-link` makes it. */
export async function tokenOf(
  { books: { database } }: Pick<RunningServices, "books">,
  account: string,
  { forMs = AN_HOUR_MS, readOnly = false }: { forMs?: number; readOnly?: boolean } = {},
): Promise<string> {
  const now = Date.now();
  const keyId = await dashboardLinkKey(database, { createdBy: "test", now });
  const accountId = toAccountId(account);
  const token = await makeDashboardToken(database, { accountId, keyId, forMs, readOnly, now });
  if (token === null) throw new Error(`there is no account ${account}`);
  return token.text;
}

/** Opens an account's dashboard in a new browser, by its link; closed with the test. */
export async function openDashboard(
  browser: Browser,
  services: Pick<RunningServices, "books" | "wire">,
  account: string,
  options: BrowserContextOptions & { readonly token?: string } = {},
): Promise<OpenedPage> {
  const { token = await tokenOf(services, account), ...context } = options;
  const { page, broken } = await openPage(browser, context);
  await page.goto(`${services.wire.url}/dashboard/#token=${token}`);
  return { page, broken };
}

/** A blank page. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({
    ...{ ...DESKTOP, locale: "en-GB", reducedMotion: "reduce" },
    ...options,
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const broken: string[] = [];
  page.on("pageerror", (error) => broken.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) broken.push(message.text());
  });
  return { page, broken };
}

/** Waits until the large number equals `balance`. */
export async function shows(page: Page, balance: string): Promise<void> {
  await page.getByTestId("balance").getByText(balance, { exact: true }).waitFor(WITHIN);
}

/** Every large number the page shows from now on, in order. */
export async function watchNumbers(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`{
    window.shownNumbers = [];
    const note = () => {
      const text = document.querySelector("[data-testid=balance]")?.textContent;
      if (text && text !== window.shownNumbers.at(-1)) window.shownNumbers.push(text);
    };
    note();
    new MutationObserver(note).observe(document.body, {
      ...{ subtree: true, childList: true, characterData: true },
    });
  }`);
  return () => page.evaluate("window.shownNumbers");
}
