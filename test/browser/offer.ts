import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { applyCatalogue } from "../../shared/ledger/catalogue/apply.ts";
import type { Books } from "../support/books/books.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import type { RunningServices } from "./running-services.ts";

const CATALOGUE = new URL("../../infra/demo/catalogue.yaml", import.meta.url);
const QUERIES_PER_CREDIT = 20n;

/** Applies the demo's catalogue from an instant on. */
export async function offerAsDemo({ database }: Books, from: number): Promise<void> {
  const parsed = parseCatalogue(await readFile(CATALOGUE));
  if (parsed.kind === "unreadable") throw new Error(JSON.stringify(parsed.problems));
  const applied = await applyCatalogue(database, parsed.asked, from, 0);
  expect(applied.kind).toBe("changes");
}

let events = 0;

/** Publishes one event that costs the given whole credits, as a product service would. */
export async function spend(
  { usage }: Pick<RunningServices, "usage">,
  accountId: string,
  credits: bigint,
  dimensions: Usage["dimensions"] = {},
): Promise<void> {
  events++;
  const quantity = credits * QUERIES_PER_CREDIT;
  const eventId = `query-${events}`;
  await usage.publish([
    { eventId, accountId, quantity, meter: "kb.queries", source: "knowledge base", dimensions },
  ]);
}
