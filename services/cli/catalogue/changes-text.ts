import type { CatalogueChanges, Change } from "../../../shared/core/offer/change-catalogue.ts";
import type { NameChange } from "../../../shared/core/offer/display-name.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { table } from "../shell/print.ts";
import { addOnText, creditPriceText, displayText, meterText, planText } from "./terms-text.ts";

export function changesText(changes: CatalogueChanges, dryRun: boolean): string {
  const rows = allChanges(changes);
  const listed = table(rows, [
    ["CHANGE", ({ kind }) => kind.replace("_", " ")],
    ["WHAT", ({ what }) => what.replace("_", " ")],
    ["NAME", ({ id }) => id],
    ["VALID FROM", ({ validFrom }) => formatInstant(validFrom, "")],
    ["TERMS", ({ text, replaced }) => (replaced === null ? text : `${text} (was: ${replaced})`)],
  ]);
  return `${listed}\n\n${summary(rows, dryRun)}`;
}

function summary(rows: readonly Row[], dryRun: boolean): string {
  const count = (kind: Row["kind"]) => rows.filter((row) => row.kind === kind).length;
  const unchanged = count("unchanged");
  if (unchanged === rows.length) {
    return "Everything in the file already exists; nothing was changed.";
  }
  const parts = [
    `${count("added")} added`,
    `${count("new_version")} updated`,
    ...(count("completed") === 0 ? [] : [`${count("completed")} completed`]),
    `${unchanged} unchanged`,
    ...(count("named") === 0 ? [] : [`${count("named")} named`]),
  ];
  return dryRun
    ? `To be applied: ${parts.join(", ")}. Nothing was changed.`
    : `Applied: ${parts.join(", ")}.`;
}

interface Row {
  readonly kind: Change<unknown>["kind"] | NameChange["kind"];
  readonly what: NameChange["what"] | "credit_price";
  readonly id: string;
  /** Null: a name, which has no versions. */
  readonly validFrom: number | null;
  readonly text: string;
  readonly replaced: string | null;
}

function allChanges({ meters, plans, addOns, creditPrices, names }: CatalogueChanges): Row[] {
  return [
    ...meters.map((change) => toRow("meter", change, meterText)),
    ...plans.map((change) => toRow("plan", change, planText)),
    ...addOns.map((change) => toRow("add_on", change, addOnText)),
    ...creditPrices.map((change) => toRow("credit_price", change, creditPriceText)),
    ...names.filter(({ kind }) => kind === "named").map(toNameRow),
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

function toNameRow(change: NameChange): Row {
  const { kind, what, id, replaces } = change;
  const replaced = replaces && displayText(replaces);
  return { kind, what, id, validFrom: null, text: displayText(change), replaced };
}
