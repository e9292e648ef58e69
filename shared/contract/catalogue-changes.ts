import { z } from "zod";
import type { CatalogueChanges, Change } from "../core/offer/change-catalogue.ts";
import { termsFields, toMeterTerms, withLife } from "./catalogue.ts";
import { displayFields, displayNameFields } from "./display-name.ts";
import { noun } from "./noun.ts";
import { instant } from "./wire.ts";

/** A version that a file states, with the terms that it replaces. */
function changeOf<What extends string, Terms extends z.ZodRawShape>(
  title: string,
  what: What,
  terms: Terms,
) {
  return noun({
    change: z.enum(["added", "new_version", "completed", "unchanged"]).meta({
      description: "completed: the version that begins then gets rates for what had no price.",
    }),
    what: z.literal(what),
    id: z.string(),
    valid_from: instant,
    ...terms,
    replaces: noun(terms)
      .meta({ title: `${title} terms` })
      .nullable(),
  }).meta({ title: `${title} change` });
}

export const catalogueChanges = noun({
  outcome: z.enum(["unchanged", "would_apply", "applied"]),
  changes: z.array(
    z.union([
      changeOf("Meter", "meter", termsFields.meter),
      changeOf("Plan", "plan", termsFields.plan),
      changeOf("Add-on", "add_on", termsFields.addOn),
      changeOf("Credit price", "credit_price", termsFields.creditPrice),
    ]),
  ),
  names: z
    .array(
      noun({
        change: z.enum(["named", "unchanged"]),
        ...displayNameFields,
        replaces: noun(displayFields).meta({ title: "Display name replaced" }).nullable(),
      }).meta({ title: "Display name change" }),
    )
    .meta({ description: "The names and units that the file states." }),
}).meta({ title: "Catalogue changes" });

export function toCatalogueChanges(changes: CatalogueChanges, dryRun: boolean) {
  const isChange = Object.values(changes)
    .flat()
    .some(({ kind }) => kind !== "unchanged");
  const done = dryRun ? ("would_apply" as const) : ("applied" as const);
  return {
    outcome: isChange ? done : ("unchanged" as const),
    changes: [
      ...changes.meters.map((change) => shownChange("meter", change, toMeterTerms)),
      ...changes.plans.map((change) => shownChange("plan", change, withLife)),
      ...changes.addOns.map((change) => shownChange("add_on", change, (terms) => terms)),
      ...changes.creditPrices.map((change) => shownChange("credit_price", change, withLife)),
    ],
    names: changes.names.map(({ kind, ...named }) => ({ ...named, change: kind })),
  };
}

function shownChange<What extends "meter" | "plan" | "add_on" | "credit_price", Terms, Shown>(
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
