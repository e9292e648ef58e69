import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The Chromium of this machine; null where there is none. CHROMIUM overrides it. */
export const CHROMIUM = PLACES.find((place) => place !== undefined && existsSync(place)) ?? null;

/** Where a browser is required, tests that need it fail without one. */
export const IS_SKIPPED = CHROMIUM === null && process.env["CHROMIUM_REQUIRED"] !== "yes";

if (IS_SKIPPED) {
  console.warn("no Chromium found: the browser tests are skipped; CHROMIUM may name one");
}

/** Starts it headless and without background requests. */
export async function startChromium(): Promise<Browser> {
  if (CHROMIUM === null) throw new Error("no Chromium found; CHROMIUM may name one");
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      // Coloured edges of letters would make the pictures larger.
      "--disable-lcd-text",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
