import {
  type AccountWhatIf,
  type Compared,
  differenceOf,
  type PlanCompared,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { ChargedRange } from "../../../shared/ledger/proof/charged-between.ts";
import { type Column, printable, table } from "../shell/print.ts";
import { accountOf, MOST_NAMED } from "./shape.ts";
import { furthestFirst, type Mover, type WhatIfTotals } from "./totals.ts";

/** What was asked, as far as it is shown. */
interface Shown {
  readonly file: string;
  readonly range: ChargedRange;
  readonly byMeter: boolean;
  /** The most accounts that are listed as text. */
  readonly limit: number;
}

/** One sentence where the other catalogue does not price all; null: it does. */
export function whatIfFailure({ credits, untoldPlans }: WhatIfTotals, file: string): string | null {
  const { count } = credits.noPrice;
  const missing = [
    ...(count === 0 ? [] : [countOf(count, "event or charge", "events and charges")]),
    ...(untoldPlans.size === 0 ? [] : [countOf(untoldPlans.size, "plan")]),
  ];
  if (missing.length === 0) return null;
  const verb = count + untoldPlans.size === 1 ? "has" : "have";
  return `${missing.join(" and ")} ${verb} no price in ${printable(file)} and are left out`;
}

export function whatIfText(whatIf: WhatIf, totals: WhatIfTotals, shown: Shown): string {
  const { file, range } = shown;
  const when = `from ${formatInstant(range.from)} to ${formatInstant(range.to)}`;
  return [
    `Under ${printable(file)}, ${when}, in credits`,
    totalsText(totals),
    ...plansText(totals),
    ...keptApartText(totals),
    moversText(totals),
    accountsText(whatIf, totals, shown),
  ].join("\n\n");
}

const RIGHT = { align: "right" } as const;
const AMOUNTS: readonly Column[] = [
  { title: "CHARGED", ...RIGHT },
  { title: "WOULD BE", ...RIGHT },
  { title: "DIFFERENCE", ...RIGHT },
];

function amounts(compared: Compared): string[] {
  const { charged, wouldBe } = compared;
  return [formatCredits(charged), formatCredits(wouldBe), signed(differenceOf(compared))];
}

function signed(credits: bigint): string {
  return `${credits > 0n ? "+" : ""}${formatCredits(credits)}`;
}

function totalsText({ meters, addOns, credits }: WhatIfTotals): string {
  const rows = [
    ...[...meters].map(([meter, one]) => [meter, String(one.count), ...amounts(one)]),
    ...[...addOns].map(([id, one]) => [`add-on ${id}`, String(one.count), ...amounts(one)]),
    ["in all", String(credits.count), ...amounts(credits)],
  ];
  return table([{ title: "WHAT" }, { title: "COUNT", ...RIGHT }, ...AMOUNTS], rows);
}

function plansText({ plans }: WhatIfTotals): string[] {
  if (plans.size === 0) return [];
  const rows = [...plans].flatMap(([currency, { given, wouldGive, charged, wouldCharge }]) => [
    [
      ...[`credits given, paid in ${currency}`, formatCredits(given), formatCredits(wouldGive)],
      signed(wouldGive - given),
    ],
    [
      `fees in ${currency}`,
      ...[charged, wouldCharge, wouldCharge - charged].map((money) => signedMoney(money, currency)),
    ],
  ]);
  return [
    table(
      [
        { title: "PLANS" },
        ...AMOUNTS.map((column, at) => (at === 0 ? { ...column, title: "WAS" } : column)),
      ],
      rows,
    ),
  ];
}

/** Money that may be below zero, with all the currency's decimals. */
export function signedMoney(amount: bigint, currency: string): string {
  return amount < 0n ? `-${formatMoney(-amount, currency)}` : formatMoney(amount, currency);
}

function keptApartText({ meters, addOns, untoldPlans }: WhatIfTotals): string[] {
  const lines = [
    ...[...meters].flatMap(([meter, { noPrice }]) => noPriceLine(meter, noPrice, "event")),
    ...[...addOns].flatMap(([id, { noPrice }]) => noPriceLine(`add-on ${id}`, noPrice, "charge")),
    ...[...untoldPlans].map(
      ([plan, accounts]) => `Not told: plan ${printable(plan)} of ${countOf(accounts, "account")}.`,
    ),
  ];
  return lines.length === 0 ? [] : [lines.join("\n")];
}

function noPriceLine(id: string, { count, charged }: Compared["noPrice"], one: string): string[] {
  if (count === 0) return [];
  const what = `${countOf(count, one)} of ${printable(id)}`;
  return [`No price: ${what}, charged ${formatCredits(charged)} credits, left out.`];
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

function accountsText(whatIf: WhatIf, { movers }: WhatIfTotals, { byMeter, limit }: Shown): string {
  const listed = [...movers].sort(furthestFirst).slice(0, limit);
  const rows = listed.flatMap(({ accountId, compared }) => {
    const row = [accountId, ...(byMeter ? ["in all"] : []), ...amounts(compared)];
    return byMeter ? [row, ...partRows(accountId, accountOf(whatIf, accountId))] : [row];
  });
  const columns = [{ title: "ACCOUNT" }, ...(byMeter ? [{ title: "WHAT" }] : []), ...AMOUNTS];
  const more = movers.length - listed.length;
  const rest = `\nThere are ${countOf(more, "more account")}: --limit, or --csv for all of them`;
  return `${table(columns, rows)}${more > 0 ? rest : ""}`;
}

function partRows(accountId: AccountId, { meters, addOns, plans }: AccountWhatIf): string[][] {
  return [
    ...[...meters].map(([meter, one]) => [accountId, meter, ...amounts(one)]),
    ...[...addOns].map(([id, one]) => [accountId, `add-on ${id}`, ...amounts(one)]),
    ...plans.flatMap((plan) => planRows(accountId, plan)),
  ];
}

function planRows(accountId: AccountId, plan: PlanCompared): string[][] {
  const { planId, currency, given, wouldGive, charged, wouldCharge } = plan;
  const money = (amount: bigint) => signedMoney(amount, currency);
  return [
    [
      ...[accountId, `plan ${planId}, credits given`, formatCredits(given)],
      ...(wouldGive === null ? ["-", "-"] : [formatCredits(wouldGive), signed(wouldGive - given)]),
    ],
    [
      ...[accountId, `plan ${planId}, ${currency}`, money(charged)],
      ...(wouldCharge === null ? ["-", "-"] : [money(wouldCharge), money(wouldCharge - charged)]),
    ],
  ];
}
