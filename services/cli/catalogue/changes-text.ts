import type { CatalogueChanges, Change } from "../../../shared/core/offer/change-catalogue.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { instantJson, type Json, table } from "../shell/print.ts";
import {
  addOnJson,
  addOnText,
  creditPriceJson,
  creditPriceText,
  meterJson,
  meterText,
  planJson,
  planText,
} from "./terms-text.ts";

export function changesJson(changes: CatalogueChanges, dryRun: boolean) {
  const rows = allChanges(changes);
  const isChange = rows.some(({ kind }) => kind !== "unchanged");
  return {
    outcome: !isChange ? "unchanged" : dryRun ? "would_apply" : "applied",
    changes: rows.map(({ kind, what, id, validFrom, json }) => ({
      change: kind,
      what,
      id,
      valid_from: instantJson(validFrom),
      ...json,
    })),
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
  readonly json: { readonly [field: string]: Json };
}

function allChanges({ meters, plans, addOns, creditPrices }: CatalogueChanges): Row[] {
  return [
    ...meters.map((change) => toRow("meter", change, meterText, meterJson)),
    ...plans.map((change) => toRow("plan", change, planText, planJson)),
    ...addOns.map((change) => toRow("add_on", change, addOnText, addOnJson)),
    ...creditPrices.map((change) =>
      toRow("credit_price", change, creditPriceText, creditPriceJson),
    ),
  ];
}

function toRow<T>(
  what: Row["what"],
  { kind, id, validFrom, terms, replaces }: Change<T>,
  inWords: (terms: T) => string,
  inJson: (terms: T) => { readonly [field: string]: Json },
): Row {
  return {
    kind,
    what,
    id,
    validFrom,
    text: inWords(terms),
    replaced: replaces && inWords(replaces),
    json: { ...inJson(terms), replaces: replaces && inJson(replaces) },
  };
}
