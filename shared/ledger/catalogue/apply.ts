import type { Instant } from "../../core/line/account.ts";
import { type ChangeDecision, decideChanges } from "../../core/offer/change-catalogue.ts";
import { type RateCard, toRateCard } from "../../core/offer/rate-card.ts";
import type { RequestedCatalogue } from "../../core/offer/requested-catalogue.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { readSnapshot } from "../postgres/read-snapshot.ts";
import { readCatalogue } from "./catalogue.ts";
import { readDisplayNames, writeDisplayNames } from "./display-names.ts";
import { insertVersions } from "./insert-versions.ts";
import { earliestChange, listRatesWithOrigins, lockPrices } from "./rates.ts";
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
  const plan = () => ({ requested: asked });
  return (await applyPlan(database, plan, now, maxAheadMs, by)).decision;
}

/** What `applyCatalogue` would do. */
export async function previewCatalogue(
  database: Database,
  asked: RequestedCatalogue,
  now: Instant,
  maxAheadMs: number,
): Promise<ChangeDecision> {
  const plan = () => ({ requested: asked });
  return (await previewPlan(database, plan, now, maxAheadMs)).decision;
}

/** Decides from the rates that exist, each with its origin, what is requested. */
export type PlanOf<Plan> = (card: RateCard) => Plan;

/** A plan and what became of it. */
export interface Planned<Plan> {
  readonly plan: Plan;
  readonly decision: ChangeDecision;
}

interface Requesting {
  readonly requested: RequestedCatalogue;
}

/** As `applyCatalogue`, where what is requested depends on the rates that exist: no other changes come between. */
export async function applyPlan<Plan extends Requesting>(
  database: Database,
  planOf: PlanOf<Plan>,
  now: Instant,
  maxAheadMs: number,
  by: string | null = null,
): Promise<Planned<Plan>> {
  return inTransaction(database, async (transaction) => {
    await lockPrices(transaction);
    const planned = await decide(transaction, planOf, now, maxAheadMs);
    const { decision } = planned;
    if (decision.kind === "changes") {
      await insertVersions(transaction, decision.changes, now, by);
      await writeDisplayNames(transaction, decision.changes.names, by);
    }
    return planned;
  });
}

/** What `applyPlan` would do. */
export async function previewPlan<Plan extends Requesting>(
  database: Database,
  planOf: PlanOf<Plan>,
  now: Instant,
  maxAheadMs: number,
): Promise<Planned<Plan>> {
  return readSnapshot(database, (transaction) => decide(transaction, planOf, now, maxAheadMs));
}

/** Between its statements a plan of 100,000 rates takes seconds, on a busy machine many. */
const MAY_TAKE_LONG = "SET LOCAL idle_in_transaction_session_timeout = '5min'";

async function decide<Plan extends Requesting>(
  transaction: Transaction,
  planOf: PlanOf<Plan>,
  now: Instant,
  maxAheadMs: number,
): Promise<Planned<Plan>> {
  await transaction.query(MAY_TAKE_LONG);
  const card = toRateCard(await listRatesWithOrigins(transaction));
  const plan = planOf(card);
  const decision = decideChanges(plan.requested, {
    catalogue: await readCatalogue(transaction),
    card,
    names: await readDisplayNames(transaction),
    now,
    earliestRate: earliestChange(now, maxAheadMs),
    earliestTerms: earliestChange(now, 0),
    waitingSince: await readWaitingSince(transaction, [...plan.requested.meters.keys()]),
  });
  return { plan, decision };
}
