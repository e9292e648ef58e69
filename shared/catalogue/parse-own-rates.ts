import { z } from "zod";
import type { UnitPrice } from "../core/offer/rate-card.ts";
import type { TableTerms } from "../core/offer/rate-table.ts";
import { fields } from "./fields.ts";
import { readFileTree } from "./parse-catalogue.ts";
import type { Problem } from "./problem.ts";
import { pricingOf, rateDimensions, ratesOfMeter } from "./rates.ts";
import { credits, roundUp, units } from "./scalars.ts";
import { tiersOfMeter } from "./tiers.ts";

export type ParsedRates =
  | { readonly kind: "parsed"; readonly terms: UnitPrice | TableTerms }
  /** In the order of their lines. */
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] };

const form = fields({
  credits: credits.optional(),
  per: units.optional(),
  round_up: roundUp.optional(),
  tiers: tiersOfMeter.optional(),
  dimensions: rateDimensions.optional(),
  rates: ratesOfMeter.optional(),
}).transform((stated, context) => {
  const pricing = pricingOf(stated, (message, ...path) => {
    context.addIssue({ code: "custom", message, path });
  });
  return pricing ?? z.NEVER;
});

/** Parses a file with the rates of one meter, as they stand below its name in a catalogue. */
export function parseOwnRates(bytes: Uint8Array): ParsedRates {
  const tree = readFileTree(bytes);
  if (!("place" in tree)) return { kind: "unreadable", problems: tree };
  const read = form.safeParse(tree.data);
  if (read.success) return { kind: "parsed", terms: read.data };
  const problems = read.error.issues.map(({ path, message }) => ({
    ...tree.place(path),
    problem: message,
  }));
  return { kind: "unreadable", problems: problems.sort((a, b) => a.line - b.line) };
}
