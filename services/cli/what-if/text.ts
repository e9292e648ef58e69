import {
  type AccountWhatIf,
  type Compared,
  differenceOf,
  type PlanCompared,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { ChargedRange } from "../../../shared/ledger/proof/charged-between.ts";
import { type Column, printable, table } from "../shell/print.ts";
import { accountOf, MOST_NAMED } from "./shape.ts";
import { byDistance, furthestFirst, type Mover, type WhatIfTotals } from "./totals.ts";

/** What is compared, and what is shown of it. */
interface Shown {
  readonly file: string;
  readonly range: ChargedRange;
  readonly byMeter: boolean;
  /** The dimension by whose values usage is shown; null: none. */
  readonly by: string | null;
  /** The account whose own rates price all usage; null: each its own. */
  readonly ratesOf: string | null;
  /** The most accounts that are listed, and the most values. */
  readonly limit: number;
}

/** One sentence about what the other catalogue does not price; null: it prices everything. */
export function whatIfFailure({ credits, untoldPlans }: WhatIfTotals, file: string): string | null {
  const { count } = credits.noPrice;
  const missing = [
    ...(count === 0 ? [] : [countOf(count, "event or charge", "events and charges")]),
    ...(untoldPlans.size === 0 ? [] : [countOf(untoldPlans.size, "plan")]),
  ];
  if (missing.length === 0) return null;
  const verb = count + untoldPlans.size === 1 ? "has" : "have";
  return `${missing.join(" and ")} ${verb} no price in ${printable(file)}, so the comparison is incomplete`;
}

export function whatIfText(whatIf: WhatIf, totals: WhatIfTotals, shown: Shown): string {
  const { file, range, ratesOf } = shown;
  const whose = ratesOf === null ? "" : ` and the own rates of ${printable(ratesOf)}`;
  const when = `from ${formatInstant(range.from)} to ${formatInstant(range.to)}`;
  return [
    `Under ${printable(file)}${whose}, ${when}, in credits`,
    totalsText(totals),
    ...valuesText(totals, shown),
    ...plansText(totals),
    ...notComparedText(totals, shown),
    moversText(totals),
    accountsText(whatIf, totals, shown),
  ].join("\n\n");
}

/** What something costs under both catalogues, as text. */
interface Amounts {
  readonly charged: string;
  readonly wouldBe: string;
  readonly difference: string;
}

const AMOUNTS: readonly Column<Amounts>[] = [
  ["CHARGED", ({ charged }) => charged, "right"],
  ["WOULD BE", ({ wouldBe }) => wouldBe, "right"],
  ["DIFFERENCE", ({ difference }) => difference, "right"],
];

function amounts(compared: Compared): Amounts {
  return {
    charged: formatCredits(compared.charged),
    wouldBe: formatCredits(compared.wouldBe),
    difference: signed(differenceOf(compared)),
  };
}

function signed(credits: bigint): string {
  return `${credits > 0n ? "+" : ""}${formatCredits(credits)}`;
}

function totalsText({ meters, addOns, credits }: WhatIfTotals): string {
  const rows = [...partsOf({ meters, addOns }), ["total", credits] as const].map(
    ([what, compared]) => ({ what, count: compared.count, ...amounts(compared) }),
  );
  return table(rows, [
    ["WHAT", ({ what }) => what],
    ["COUNT", ({ count }) => count, "right"],
    ...AMOUNTS,
  ]);
}

/** Usage by the values of a dimension. */
function valuesText({ values }: WhatIfTotals, { by, limit }: Shown): string[] {
  if (by === null) return [];
  const rows = furthestValues(values, limit);
  const listed = table(rows, [
    [printable(by).toUpperCase(), ({ value }) => value],
    ["COUNT", ({ count }) => count, "right"],
    ...AMOUNTS,
  ]);
  return [listed + moreText(values.size - rows.length, "value")];
}

/** The largest difference first. */
function furthestValues(values: WhatIfTotals["values"], limit: number) {
  const all = [...values].sort(
    ([a, one], [b, other]) =>
      byDistance(differenceOf(one), differenceOf(other)) || (a < b ? -1 : 1),
  );
  return all.slice(0, limit).map(([value, compared]) => {
    return { value: valueName(value), count: compared.count, ...amounts(compared) };
  });
}

function valueName(value: string): string {
  return value === "" ? "(none)" : value;
}

function moreText(more: number, one: string): string {
  if (more === 0) return "";
  return `\nThere are ${countOf(more, `more ${one}`)}: --limit, or --csv for all of them`;
}

/** Meters and add-ons by name. */
function partsOf({ meters, addOns }: Pick<WhatIfTotals, "meters" | "addOns">) {
  return [...meters, ...[...addOns].map(([id, compared]) => [`add-on ${id}`, compared] as const)];
}

function plansText({ plans }: WhatIfTotals): string[] {
  if (plans.size === 0) return [];
  const rows = [...plans].flatMap(([currency, total]) => [
    { what: `credits granted, paid in ${currency}`, ...grantAmounts(total) },
    { what: `fees in ${currency}`, ...feeAmounts(currency, total) },
  ]);
  return [
    table(rows, [
      ["PLANS", ({ what }) => what],
      ["WAS", ({ charged }) => charged, "right"],
      ...AMOUNTS.slice(1),
    ]),
  ];
}

type Grants = Pick<PlanCompared, "given" | "wouldGive">;
type Fees = Pick<PlanCompared, "charged" | "wouldCharge">;

function grantAmounts({ given, wouldGive }: Grants): Amounts {
  const charged = formatCredits(given);
  if (wouldGive === null) return { charged, wouldBe: "-", difference: "-" };
  return { charged, wouldBe: formatCredits(wouldGive), difference: signed(wouldGive - given) };
}

function feeAmounts(currency: string, { charged, wouldCharge }: Fees): Amounts {
  const money = (amount: bigint | null) => (amount === null ? "-" : signedMoney(amount, currency));
  const difference = wouldCharge === null ? null : wouldCharge - charged;
  return { charged: money(charged), wouldBe: money(wouldCharge), difference: money(difference) };
}

/** Money that may be below zero, with all the currency's decimals. */
export function signedMoney(amount: bigint, currency: string): string {
  return amount < 0n ? `-${formatMoney(-amount, currency)}` : formatMoney(amount, currency);
}

function notComparedText(
  { meters, values, addOns, untoldPlans }: WhatIfTotals,
  { by, limit }: Shown,
): string[] {
  const unpriced = [...values].filter(([, { noPrice }]) => noPrice.count > 0);
  const lines = [
    ...[...meters].flatMap(([meter, { noPrice }]) => noPriceLine(meter, noPrice, "event")),
    ...unpriced
      .slice(0, limit)
      .flatMap(([value, { noPrice }]) =>
        noPriceLine(`${by} ${valueName(value)}`, noPrice, "event"),
      ),
    ...[...addOns].flatMap(([id, { noPrice }]) => noPriceLine(`add-on ${id}`, noPrice, "charge")),
    ...[...untoldPlans].map(
      ([plan, accounts]) =>
        `No price: plan ${printable(plan)} of ${countOf(accounts, "account")}, not compared.`,
    ),
  ];
  if (lines.length === 0) return [];
  return [lines.join("\n") + moreText(Math.max(0, unpriced.length - limit), "value")];
}

function noPriceLine(id: string, { count, charged }: Compared["noPrice"], one: string): string[] {
  if (count === 0) return [];
  const what = `${countOf(count, one)} of ${printable(id)}`;
  return [`No price: ${what}, charged ${formatCredits(charged)} credits, not compared.`];
}

function moversText({ winners, losers, movers }: WhatIfTotals): string {
  const unchanged = movers.length - winners.length - losers.length;
  return [
    `${countOf(winners.length, "account")} would have paid less${named(winners)}`,
    `${countOf(losers.length, "account")} would have paid more${named(losers)}`,
    `${countOf(unchanged, "account")} would have paid the same`,
  ].join("\n");
}

function named(movers: readonly Mover[]): string {
  if (movers.length === 0) return "";
  const shown = movers
    .slice(0, MOST_NAMED)
    .map(({ accountId, difference }) => `${printable(accountId)} ${signed(difference)}`);
  return `: ${shown.join(", ")}${movers.length > MOST_NAMED ? ", ..." : ""}`;
}

function accountsText(
  whatIf: WhatIf,
  { movers }: WhatIfTotals,
  { byMeter, by, limit }: Shown,
): string {
  const listed = [...movers].sort(furthestFirst).slice(0, limit);
  const rows = listed.flatMap(({ accountId, compared }) => {
    const account = accountOf(whatIf, accountId);
    const parts = byMeter ? partRows(account) : [];
    const values = furthestValues(account.values, limit).map((row) => {
      return { ...row, what: `${by} ${row.value}` };
    });
    return [{ what: "total", ...amounts(compared) }, ...parts, ...values].map((row) => ({
      accountId,
      ...row,
    }));
  });
  const what: Column<(typeof rows)[number]> = ["WHAT", (row) => row.what];
  const accounts = table(rows, [
    ["ACCOUNT", ({ accountId }) => accountId],
    ...(byMeter || by !== null ? [what] : []),
    ...AMOUNTS,
  ]);
  return accounts + moreText(movers.length - listed.length, "account");
}

function partRows({ meters, addOns, plans }: AccountWhatIf) {
  return [
    ...partsOf({ meters, addOns }).map(([what, compared]) => ({ what, ...amounts(compared) })),
    ...plans.flatMap((plan) => [
      { what: `plan ${plan.planId}, credits granted`, ...grantAmounts(plan) },
      { what: `plan ${plan.planId}, ${plan.currency}`, ...feeAmounts(plan.currency, plan) },
    ]),
  ];
}
