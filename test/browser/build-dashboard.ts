import { resolve } from "node:path";
import { build } from "vite";
import { CHROMIUM } from "./chromium.ts";

/** Builds the dashboard into the folder that the API serves, once for all browser tests. */
export default async function buildDashboard(): Promise<void> {
  if (CHROMIUM === null) return;
  const root = resolve(import.meta.dirname, "../../services/dashboard");
  await build({ root, logLevel: "error" });
}
