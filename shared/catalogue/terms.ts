import { z } from "zod";
import { isSameUnit, type Unit } from "../core/offer/display-name.ts";
import type { Feed } from "../core/offer/feed.ts";
import { idProblem } from "../core/text/text.ts";
import { MAX_DIMENSIONS } from "../core/usage/usage-event.ts";
import { nearestName } from "./nearest-name.ts";
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
  someCredits,
  units,
} from "./scalars.ts";

/** The schema of a catalogue file: sections of items, each one version or a list of versions. */
export function catalogueForm() {
  const from = instant.optional();
  const lifeOfLots = life.default({ kind: "usual" });
  const display = displayText.optional();
  const meter = fields({
    ...{ from, name: display, unit: unit.optional() },
    ...{ credits, per: units, feed: feed().optional() },
  }).transform(({ feed: given, ...terms }) =>
    given === undefined ? terms : { ...terms, feed: given },
  );
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
  });
}

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

/** An object with known fields; the error for any other suggests the nearest. */
function fields<S extends z.ZodRawShape>(shape: S): z.ZodType<z.output<z.ZodObject<S>>> {
  const known = Object.keys(shape);
  const unknown = z.custom<unknown>(() => false, {
    error: ({ path }) => unknownField(String(path?.at(-1)), known),
  });
  return z.object(shape, missingOr(`must have the fields ${known.join(", ")}`)).catchall(unknown);
}

function unknownField(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null
    ? `there is no such field; there are ${known.join(", ")}`
    : `there is no such field; did you mean ${nearest}?`;
}

/** One or more values by name; the form of a value may depend on its name. */
function named<T>(
  problemOf: (name: string) => string | null,
  form: (name: string) => z.ZodType<T>,
) {
  return z
    .record(z.string(), z.unknown(), missingOr("must have names and what each stands for"))
    .transform((given, context) => {
      const things = new Map<string, T>();
      for (const [name, value] of Object.entries(given)) {
        const problem = problemOf(name);
        if (problem !== null) {
          context.addIssue({ code: "custom", message: problem, path: [name] });
          continue;
        }
        const read = form(name).safeParse(value);
        if (read.success) things.set(name, read.data);
        for (const { message, path } of read.error?.issues ?? []) {
          context.addIssue({ code: "custom", message, path: [name, ...path] });
        }
      }
      if (Object.keys(given).length === 0) context.addIssue("names nothing; leave it out");
      return things;
    });
}

function missingOr(wrong: string) {
  return {
    error: ({ input }: { readonly input?: unknown }) =>
      input === undefined ? "is missing" : wrong,
  };
}
