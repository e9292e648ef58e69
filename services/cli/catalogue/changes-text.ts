import { z } from "zod";
import { termsFields, toMeterTerms, withLife } from "../../../shared/contract/catalogue.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { instant } from "../../../shared/contract/wire.ts";
import type { CatalogueChanges, Change } from "../../../shared/core/offer/change-catalogue.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { table } from "../shell/print.ts";
import { addOnText, creditPriceText, meterText, planText } from "./terms-text.ts";

const meter = noun(termsFields.meter);
const plan = noun(termsFields.plan);
const addOn = noun(termsFields.addOn);
const creditPrice = noun(termsFields.creditPrice);

const changed = {
  change: z.enum(["added", "new_version", "unchanged"]),
  id: z.string(),
  valid_from: instant,
};

/** What a file changes: each version it states, with the terms that it replaces. */
export const catalogueChanges = noun({
  outcome: z.enum(["unchanged", "would_apply", "applied"]),
  changes: z.array(
    z.union([
      noun({
        ...changed,
        what: z.literal("meter"),
        ...termsFields.meter,
        replaces: meter.nullable(),
      }),
      noun({ ...changed, what: z.literal("plan"), ...termsFields.plan, replaces: plan.nullable() }),
      noun({
        ...changed,
        what: z.literal("add_on"),
        ...termsFields.addOn,
        replaces: addOn.nullable(),
      }),
      noun({
        ...changed,
        what: z.literal("credit_price"),
        ...termsFields.creditPrice,
        replaces: creditPrice.nullable(),
      }),
    ]),
  ),
});

export function toCatalogueChanges(changes: CatalogueChanges, dryRun: boolean) {
  const rows = allChanges(changes);
  const isChange = rows.some(({ kind }) => kind !== "unchanged");
  const done = dryRun ? ("would_apply" as const) : ("applied" as const);
  return {
    outcome: isChange ? done : ("unchanged" as const),
    changes: [
      ...changes.meters.map((one) => shownChange("meter", one, toMeterTerms)),
      ...changes.plans.map((one) => shownChange("plan", one, withLife)),
      ...changes.addOns.map((one) => shownChange("add_on", one, (terms) => terms)),
      ...changes.creditPrices.map((one) => shownChange("credit_price", one, withLife)),
    ],
  };
}

function shownChange<What extends Row["what"], Terms, Shown>(
  what: What,
  { kind, id, validFrom, terms, replaces }: Change<Terms>,
  show: (terms: Terms) => Shown,
) {
  return {
    ...{ change: kind, what, id, validFrom },
    ...show(terms),
    replaces: replaces && show(replaces),
  };
}

export function changesText(changes: CatalogueChanges, dryRun: boolean): string {
  const rows = allChanges(changes);
  const said = table(
    [
      { title: "CHANGE" },
      { title: "WHAT" },
      { title: "NAME" },
      { title: "VALID FROM" },
      { title: "TERMS" },
    ],
    rows.map(({ kind, what, id, validFrom, text, replaced }) => [
      kind.replace("_", " "),
      what.replace("_", " "),
      id,
      formatInstant(validFrom),
      replaced === null ? text : `${text} (was: ${replaced})`,
    ]),
  );
  return `${said}\n\n${summary(rows, dryRun)}`;
}

function summary(rows: readonly Row[], dryRun: boolean): string {
  const count = (asked: Row["kind"]) => rows.filter(({ kind }) => kind === asked).length;
  const unchanged = count("unchanged");
  if (unchanged === rows.length) return "All of it already exists; nothing was changed.";
  const parts = [
    `${count("added")} added`,
    `${count("new_version")} updated`,
    `${unchanged} unchanged`,
  ];
  return dryRun
    ? `To be applied: ${parts.join(", ")}. Nothing was changed.`
    : `Applied: ${parts.join(", ")}.`;
}

interface Row {
  readonly kind: Change<unknown>["kind"];
  readonly what: "meter" | "plan" | "add_on" | "credit_price";
  readonly id: string;
  readonly validFrom: number;
  readonly text: string;
  readonly replaced: string | null;
}

function allChanges({ meters, plans, addOns, creditPrices }: CatalogueChanges): Row[] {
  return [
    ...meters.map((change) => toRow("meter", change, meterText)),
    ...plans.map((change) => toRow("plan", change, planText)),
    ...addOns.map((change) => toRow("add_on", change, addOnText)),
    ...creditPrices.map((change) => toRow("credit_price", change, creditPriceText)),
  ];
}

function toRow<T>(
  what: Row["what"],
  { kind, id, validFrom, terms, replaces }: Change<T>,
  inWords: (terms: T) => string,
): Row {
  const replaced = replaces && inWords(replaces);
  return { kind, what, id, validFrom, text: inWords(terms), replaced };
}
