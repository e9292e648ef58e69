import type { Compared, PlanCompared, WhatIf } from "../../../shared/core/history/what-if.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { type Cell, csvLine } from "../../../shared/core/text/csv-text.ts";
import { signedMoney } from "./text.ts";

const COLUMNS = [
  ...["account_id", "kind", "id", "unit", "count", "quantity", "charged", "would_be", "difference"],
  ...["no_price_count", "no_price_quantity", "no_price_charged"],
];

/**
 * A row for each account's meters, values of a dimension, add-ons and plans. Amounts are exact, in credits or
 * in units of the currency. Rows of values are of the same usage as those of meters; they have no quantity.
 */
export function* csvLines(whatIf: WhatIf): Generator<string> {
  yield csvLine(COLUMNS);
  const accounts = [...whatIf].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [accountId, { meters, values, addOns, plans }] of accounts) {
    for (const [id, compared] of meters) yield csvLine(row(accountId, "meter", id, compared));
    for (const [value, compared] of values) yield csvLine(valueRow(accountId, value, compared));
    for (const [id, compared] of addOns) yield csvLine(row(accountId, "add_on", id, compared));
    for (const plan of plans) yield* planRows(accountId, plan).map(csvLine);
  }
}

function row(accountId: string, kind: string, id: string, compared: Compared): Cell[] {
  const { count, quantity, charged, wouldBe, noPrice } = compared;
  return [
    ...[accountId, kind, id, "credits", BigInt(count), quantity],
    ...[charged, wouldBe, wouldBe - charged].map(credits),
    ...[BigInt(noPrice.count), noPrice.quantity, credits(noPrice.charged)],
  ];
}

/** Quantities of several meters have no sum. */
function valueRow(accountId: string, value: string, { noPrice, ...compared }: Compared): Cell[] {
  const { count, charged, wouldBe } = compared;
  return [
    ...[accountId, "value", value, "credits", BigInt(count), ""],
    ...[charged, wouldBe, wouldBe - charged].map(credits),
    ...[BigInt(noPrice.count), "", credits(noPrice.charged)],
  ];
}

/** Cells that the other catalogue does not state are empty. */
function planRows(accountId: string, plan: PlanCompared): Cell[][] {
  const { planId, currency, given, wouldGive, charged, wouldCharge } = plan;
  const money = (amount: bigint): Cell => ({ number: signedMoney(amount, currency) });
  return [
    [accountId, "plan_credits", planId, "credits", ...planCells(given, wouldGive, credits)],
    [accountId, "plan_price", planId, currency, ...planCells(charged, wouldCharge, money)],
  ];
}

function planCells(was: bigint, wouldBe: bigint | null, cell: (amount: bigint) => Cell): Cell[] {
  const would = wouldBe === null ? ["", ""] : [cell(wouldBe), cell(wouldBe - was)];
  return ["", "", cell(was), ...would, "", "", ""];
}

function credits(amount: bigint): Cell {
  return { number: formatCredits(amount) };
}
