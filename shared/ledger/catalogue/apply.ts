import type { Instant } from "../../core/line/account.ts";
import { type ChangeDecision, decideChanges } from "../../core/offer/change-catalogue.ts";
import { toRateCard } from "../../core/offer/rate-card.ts";
import type { RequestedCatalogue } from "../../core/offer/requested-catalogue.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { readSnapshot } from "../postgres/read-snapshot.ts";
import { readCatalogue } from "./catalogue.ts";
import { readDisplayNames, writeDisplayNames } from "./display-names.ts";
import { insertVersions } from "./insert-versions.ts";
import { earliestChange, listRates, lockPrices } from "./rates.ts";
import { readWaitingSince } from "./waiting-usage.ts";

/**
 * Adds the new versions of a catalogue file and sets its names, all or nothing. The same file again changes nothing.
 * `maxAheadMs`: how far ahead of the clock events are metered; `by`: who requested it.
 *
 * A meter's price begins at `earliestChange` or later. Plans, add-ons and credit prices are never looked
 * up ahead of the clock, so they need only its margin, for transactions that began before this one.
 */
export async function applyCatalogue(
  database: Database,
  asked: RequestedCatalogue,
  now: Instant,
  maxAheadMs: number,
  by: string | null = null,
): Promise<ChangeDecision> {
  return inTransaction(database, async (transaction) => {
    await lockPrices(transaction);
    const decision = await decide(transaction, asked, now, maxAheadMs);
    if (decision.kind === "changes") {
      await insertVersions(transaction, decision.changes, now, by);
      await writeDisplayNames(transaction, decision.changes.names, by);
    }
    return decision;
  });
}

/** What `applyCatalogue` would do. */
export async function previewCatalogue(
  database: Database,
  asked: RequestedCatalogue,
  now: Instant,
  maxAheadMs: number,
): Promise<ChangeDecision> {
  return readSnapshot(database, (transaction) => decide(transaction, asked, now, maxAheadMs));
}

async function decide(
  transaction: Transaction,
  asked: RequestedCatalogue,
  now: Instant,
  maxAheadMs: number,
): Promise<ChangeDecision> {
  return decideChanges(asked, {
    catalogue: await readCatalogue(transaction),
    card: toRateCard(await listRates(transaction)),
    names: await readDisplayNames(transaction),
    now,
    earliestRate: earliestChange(now, maxAheadMs),
    earliestTerms: earliestChange(now, 0),
    waitingSince: await readWaitingSince(transaction, [...asked.meters.keys()]),
  });
}
