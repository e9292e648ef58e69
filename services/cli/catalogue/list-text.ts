import type { Instant } from "../../../shared/core/line/account.ts";
import { versionAt } from "../../../shared/core/offer/catalogue.ts";
import type { Offer } from "../../../shared/core/offer/offer.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { forColumn, listedPrices, originColumns, roundUpColumn } from "../shell/price-text.ts";
import { type Column, table } from "../shell/print.ts";
import { feedText, lifeText, pricesText, unitText } from "./terms-text.ts";

/** All versions of everything on offer, and the names. */
export function listedText({ catalogue, rates, names }: Offer, now: Instant): string {
  const { plans, addOns, creditPrices } = catalogue;
  const prices = rates.flatMap((version) =>
    listedPrices(version).map((one) => ({ ...version, ...one })),
  );
  const meters = Map.groupBy(prices, ({ meter }) => meter);
  const sections = [
    section(now, "PLAN", plans, [
      ["LIFE", ({ life }) => lifeText(life)],
      ["FIRST CREDITS", ({ firstCredits }) => firstCredits],
      ["FIRST MONTH", ({ firstMonth }) => firstMonth],
      ["PRICES", ({ prices }) => pricesText(prices)],
    ]),
    section(now, "ADD-ON", addOns, []),
    section(now, "CURRENCY", creditPrices, [["LIFE", ({ life }) => lifeText(life)]]),
    section(now, "METER", meters, [
      ...forColumn(rates),
      ["PER", ({ per }) => per, "right"],
      ...roundUpColumn(rates),
      ...originColumns(rates),
      ["FED BY", ({ feed }) => (feed === undefined ? "" : feedText(feed))],
    ]),
    names.length === 0
      ? null
      : table(names, [
          ["NAMED", ({ what }) => (what === "dimension_value" ? "value" : what.replace("_", "-"))],
          ["ID", ({ id }) => id],
          ["NAME", ({ name }) => name ?? ""],
          ["UNIT", ({ unit }) => (unit === null ? "" : unitText(unit))],
        ]),
  ].filter((text) => text !== null);
  return sections.length === 0 ? "The catalogue is empty." : sections.join("\n\n");
}

interface Version {
  readonly validFrom: Instant;
  readonly credits: bigint;
}

/** A table of one kind of things; null when there are none. */
function section<T extends Version>(
  now: Instant,
  title: string,
  things: ReadonlyMap<string, readonly T[]>,
  columns: readonly Column<T>[],
): string | null {
  if (things.size === 0) return null;
  const rows = [...things].flatMap(([id, versions]) => {
    const valid = versionAt(versions, now);
    // The rates of one version are valid together.
    const isValid = ({ validFrom }: Version) => validFrom === valid?.validFrom;
    return versions.map((version) => ({ id, version, isValid: isValid(version) }));
  });
  const ofVersion = columns.map(([name, cell, align]): Column<(typeof rows)[number]> => {
    return [name, ({ version }) => cell(version), align];
  });
  return table(rows, [
    [title, ({ id }) => id],
    ["VALID FROM", ({ version }) => formatInstant(version.validFrom)],
    [
      "STATE",
      ({ version, isValid }) => (isValid ? "valid" : version.validFrom > now ? "future" : "past"),
    ],
    ["CREDITS", ({ version }) => formatCredits(version.credits), "right"],
    ...ofVersion,
  ]);
}
