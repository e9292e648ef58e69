import { z } from "zod";
import { isSameUnit, type Unit } from "../core/offer/display-name.ts";
import type { Feed } from "../core/offer/feed.ts";
import { idProblem } from "../core/text/text.ts";
import { MAX_DIMENSIONS } from "../core/usage/usage-event.ts";
import { fields, named } from "./fields.ts";
import { pricingOf, rateDimensions, ratesOfMeter } from "./rates.ts";
import {
  credits,
  currencyProblem,
  dataPath,
  displayText,
  firstCredits,
  firstMonth,
  instant,
  life,
  money,
  name,
  roundUp,
  someCredits,
  units,
} from "./scalars.ts";
import { tiersOfMeter } from "./tiers.ts";

/** The schema of a catalogue file: sections of items, each one version or a list of versions. */
export function catalogueForm() {
  const from = instant.optional();
  const lifeOfLots = life.default({ kind: "usual" });
  const display = displayText.optional();
  const meter = fields({
    ...{ from, name: display, unit: unit.optional() },
    ...{ credits: credits.optional(), per: units.optional(), round_up: roundUp.optional() },
    ...{ feed: feed().optional(), tiers: tiersOfMeter.optional() },
    ...{ dimensions: rateDimensions.optional(), rates: ratesOfMeter.optional() },
  }).transform(({ from: since, name: shown, unit: counted, feed: fed, ...stated }, context) => {
    const pricing = pricingOf(stated, (message, ...path) => {
      context.addIssue({ code: "custom", message, path });
    });
    if (pricing === null) return z.NEVER;
    const ofItem = { from: since, name: shown, unit: counted };
    return fed === undefined ? { ...ofItem, ...pricing } : { ...ofItem, ...pricing, feed: fed };
  });
  const plan = fields({
    from,
    name: display,
    credits: someCredits,
    life: lifeOfLots,
    first_credits: firstCredits.default("when_paid"),
    first_month: firstMonth.default("whole"),
    prices: prices(),
  }).transform(({ first_credits, first_month, ...terms }) => {
    return { ...terms, firstCredits: first_credits, firstMonth: first_month };
  });
  const addOn = fields({ from, name: display, credits: someCredits });
  const creditPrice = fields({ from, credits: someCredits, life: lifeOfLots });
  return fields({
    meters: named(problemOfId, () => versions(meter)).optional(),
    plans: named(problemOfId, () => versions(plan)).optional(),
    add_ons: named(problemOfId, () => versions(addOn)).optional(),
    credit_prices: named(currencyProblem, () => versions(creditPrice)).optional(),
    dimensions: named(problemOfDimension, () => namesOfDimension).optional(),
  });
}

/** How people read a dimension of usage, and its values. */
const namesOfDimension = fields({
  name: displayText.optional(),
  values: named(problemOfId, () => displayText).optional(),
}).refine(
  ({ name, values }) => name !== undefined || values !== undefined,
  "names nothing; leave it out",
);

const unit = fields({ one: displayText, many: displayText });

function feed() {
  const dimensions = named(problemOfId, () => dataPath).check(({ value, issues }) => {
    if (value.size <= MAX_DIMENSIONS) return;
    const message = `names ${value.size} dimensions; an event has at most ${MAX_DIMENSIONS}`;
    issues.push({ code: "custom", message, input: value });
  });
  return fields({
    event_type: name,
    value: dataPath.optional(),
    dimensions: dimensions.optional(),
  }).transform(
    ({ event_type, value = null, dimensions = new Map() }): Feed => ({
      eventType: event_type,
      value,
      dimensions,
    }),
  );
}

function prices() {
  const ofPlan = named(currencyProblem, (currency) =>
    fields({ monthly: money(currency), yearly: money(currency) }),
  );
  return ofPlan.transform((byCurrency) =>
    [...byCurrency]
      .map(([currency, { monthly, yearly }]) => ({ currency, monthly, yearly }))
      .sort((a, b) => (a.currency < b.currency ? -1 : 1)),
  );
}

/** `=` sets a dimension apart from its value. */
function problemOfDimension(name: string): string | null {
  return problemOfId(name) ?? (name.includes("=") ? "holds =, so it cannot be named" : null);
}

function problemOfId(name: string): string | null {
  return idProblem("the name", name);
}

/** What is in each version of an item beside its terms. Name and unit are the item's. */
export interface Stated {
  readonly from?: number | undefined;
  readonly name?: string | undefined;
  readonly unit?: Unit | undefined;
}

/** One version, or a list of them, oldest first; only the first may lack `from`. */
function versions<T extends Stated>(terms: z.ZodType<T>) {
  const list = z
    .array(terms)
    .min(1, "lists no version; state one")
    .check(({ value, issues }) => {
      const { name, unit } = nameIn(value);
      for (const [at, version] of value.entries()) {
        const message = "differs from that of another version, but has no versions; state it once";
        if (version.name !== undefined && version.name !== name) {
          issues.push({ code: "custom", message, path: [at, "name"], input: version.name });
        }
        if (version.unit !== undefined && !isSameUnit(version.unit, unit)) {
          issues.push({ code: "custom", message, path: [at, "unit"], input: version.unit });
        }
      }
    })
    .check(({ value, issues }) => {
      for (const [at, { from }] of value.entries()) {
        if (at === 0) continue;
        const before = value[at - 1]?.from ?? Number.NEGATIVE_INFINITY;
        if (from !== undefined && from > before) continue;
        const message =
          from === undefined
            ? "is missing; only the first version in a list may be without"
            : "must be later than that of the version before; list the oldest first";
        issues.push({ code: "custom", message, path: [at, "from"], input: from });
      }
    });
  return z.preprocess((given) => (Array.isArray(given) ? given : [given]), list);
}

/** The name and the unit of an item; null: no version states one. */
export function nameIn(versions: readonly Stated[]) {
  const name = versions.find((version) => version.name !== undefined)?.name ?? null;
  const unit = versions.find((version) => version.unit !== undefined)?.unit ?? null;
  return { name, unit };
}
