import type { ImportPlan } from "../../../shared/catalogue/price-tables/plan-import.ts";
import type { UnitPrice } from "../../../shared/core/offer/rate-card.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf, countText } from "../../../shared/core/text/text.ts";
import type { Planned } from "../../../shared/ledger/catalogue/apply.ts";
import { type Column, printable, table } from "../shell/print.ts";
import {
  type ChangedRate,
  changedRates,
  countsOf,
  importedMeters,
  type ToldOfFile,
} from "./import-shape.ts";

/** More changes than fit on a screen are summarised. */
const MOST_LISTED = 40;
const LARGEST_LISTED = 20;
const LEFT_OUT_LISTED = 5;

/** What an import changes, for people: the meters, then the changes or the largest of them. */
export function importText(
  planned: Planned<ImportPlan>,
  outcome: "proposed" | "would_apply" | "applied",
  { leftOut }: ToldOfFile,
): string {
  const changes = changedRates(planned.plan);
  const isChange = planned.plan.requested.meters.size > 0;
  return [
    metersTable(planned),
    ...changesTable(changes),
    ...leftOutText(leftOut),
    ...(isChange ? [] : ["These are the rates already; nothing was changed."]),
    ...(isChange && outcome !== "proposed" ? [summary(changes, outcome)] : []),
  ].join("\n\n");
}

function summary(changes: readonly ChangedRate[], outcome: "would_apply" | "applied"): string {
  const parts = (["added", "dearer", "cheaper", "gone"] as const).map((kind) => {
    return `${countText(changes.filter(({ change }) => change === kind).length)} ${kind}`;
  });
  return outcome === "applied"
    ? `Imported: ${parts.join(", ")}.`
    : `To be imported: ${parts.join(", ")}. Nothing was changed.`;
}

function metersTable(planned: Planned<ImportPlan>): string {
  const rows = importedMeters(planned).map((of) => ({ ...of, ...countsOf(of.plan) }));
  const isKept = rows.some(({ kept }) => kept > 0);
  return table(rows, [
    ["METER", ({ plan }) => plan.meter],
    ["VERSION", ({ change }) => change.replace("_", " ")],
    ["VALID FROM", ({ validFrom }) => formatInstant(validFrom)],
    ["ADDED", ({ added }) => added, "right"],
    ["DEARER", ({ dearer }) => dearer, "right"],
    ["CHEAPER", ({ cheaper }) => cheaper, "right"],
    ["GONE", ({ gone }) => gone, "right"],
    ["UNCHANGED", ({ unchanged }) => unchanged, "right"],
    ...(isKept ? [["KEPT", ({ kept }: { kept: number }) => kept, "right"] as const] : []),
  ]);
}

function changesTable(changes: readonly ChangedRate[]): string[] {
  if (changes.length === 0) return [];
  if (changes.length <= MOST_LISTED) return [ratesTable(changes)];
  const renewed = changes
    .filter(({ before, after }) => before !== null && after !== null)
    .map((change) => ({ change, size: sizeOf(change) }))
    .sort((a, b) => (a.size > b.size ? -1 : Number(a.size < b.size)))
    .map(({ change }) => change);
  const gone = changes.filter(({ change }) => change === "gone");
  const listed = [...renewed, ...gone, ...changes.filter(({ change }) => change === "added")];
  const more = countText(changes.length - LARGEST_LISTED);
  return [
    `The largest changes; --json has the ${more} others, too:`,
    ratesTable(listed.slice(0, LARGEST_LISTED)),
  ];
}

/** Prices are for as many units as the list states them for. */
function ratesTable(changes: readonly ChangedRate[]): string {
  const rows = changes.map((change) => {
    const { before, after } = change;
    return { ...change, per: after?.listPrice.per ?? before?.per ?? 1n };
  });
  const isBanded = rows.some(({ band }) => band !== null);
  return table(rows, [
    ["CHANGE", ({ change }) => change],
    ["METER", ({ meter }) => meter],
    ["PROVIDER", ({ provider }) => provider],
    ["MODEL", ({ model }) => model],
    ...(isBanded ? [BAND] : []),
    ["CREDITS BEFORE", ({ before, per }) => creditsFor(before, per), "right"],
    ["CREDITS AFTER", ({ after, per }) => creditsFor(after, per), "right"],
    ["PER", ({ per }) => per, "right"],
    ["BY", percentText, "right"],
  ]);
}

/** "context 200001" */
const BAND: Column<ChangedRate> = [
  "FROM",
  ({ band }) => (band === null ? "" : `${band.of} ${band.from}`),
];

const DECIMALS = 12;
const PER_MICRO_CREDIT = 10n ** 6n;

/** What units cost in credits, to the twelfth decimal; "" where there is no price. */
function creditsFor(price: UnitPrice | null, units: bigint): string {
  if (price === null) return "";
  const exact = price.credits * units * PER_MICRO_CREDIT;
  const digits = String((2n * exact + price.per) / (2n * price.per)).padStart(DECIMALS + 1, "0");
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, "");
  const whole = digits.slice(0, -DECIMALS);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** "+12.5 %"; "" where there is nothing to compare, or it was free. */
function percentText({ before, after }: ChangedRate): string {
  if (before === null || after === null || before.credits === 0n) return "";
  const old = before.credits * after.per;
  const difference = after.credits * before.per - old;
  const size = difference < 0n ? -difference : difference;
  const tenths = (2000n * size + old) / (2n * old);
  return `${difference < 0n ? "-" : "+"}${tenths / 10n}.${tenths % 10n} %`;
}

/** How many times a price has changed, up or down, in millionths; what was or becomes free comes first. */
function sizeOf({ before, after }: ChangedRate): bigint {
  if (before === null || after === null) return 0n;
  const [old, now] = [before.credits * after.per, after.credits * before.per];
  const [less, more] = old < now ? [old, now] : [now, old];
  return less === 0n ? more * 10n ** 24n : (more * 1_000_000n) / less;
}

/** Prices of kinds that are not known. */
function leftOutText(leftOut: readonly { key: string; count: number; firstLine: number }[]) {
  if (leftOut.length === 0) return [];
  const named = leftOut
    .slice(0, LEFT_OUT_LISTED)
    .map(({ key, count, firstLine }) => `${printable(key)} (${count}, first in line ${firstLine})`);
  const more = leftOut.length - named.length;
  const others = more === 0 ? "" : `, and ${countOf(more, "other")}`;
  return [`Left out, as these prices are of no known kind: ${named.join(", ")}${others}.`];
}
