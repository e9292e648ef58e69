import { type SettingChange, settingsAt } from "../../../shared/core/history/account-settings.ts";
import type { LineAt, LineWithLots, PlacedLot } from "../../../shared/core/history/line-at.ts";
import type { SubscriptionThen } from "../../../shared/core/history/subscription-at.ts";
import { balanceOf, remainingOf } from "../../../shared/core/line/credit-line.ts";
import { amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { drawLine, stretchText } from "../credits/lot-text.ts";
import { fields, printable, table } from "../shell/print.ts";
import { oftenText } from "../subscription/change-text.ts";
import {
  differs,
  grantedLot,
  type History,
  laterEntries,
  subscriptionThen,
} from "./history-shape.ts";

export function historyText(history: History): string {
  const { accountId, line, views } = history;
  return [
    `Account ${printable(accountId)} at ${formatInstant(line.at)}`,
    balancesText(views),
    laterText(history),
    lotsText(history),
    fields([...subscriptionRows(subscriptionThen(history)), ...settingsRows(history)]),
  ].join("\n\n");
}

function balancesText({ stood, known }: LineAt): string {
  const rows: (readonly [name: string, of: (view: LineWithLots) => string])[] = [
    ["balance", (view) => formatCredits(balanceOf(view))],
    ["granted", ({ granted }) => formatCredits(granted)],
    ["position", ({ position }) => formatCredits(position)],
    ["entries", ({ entries }) => String(entries)],
  ];
  return table(rows, [
    ["", ([name]) => name],
    ["AS IT STOOD", ([, of]) => of(stood), "right"],
    ["AS KNOWN NOW", ([, of]) => of(known), "right"],
  ]);
}

/** Why the two views differ, a sentence for each reason. */
function laterText(history: History): string {
  const { line, lateEvents } = history;
  const lines: string[] = [];
  if (line.meteredLater > 0n) {
    const events = countOf(lateEvents, "event");
    lines.push(
      `Metered later: ${formatCredits(line.meteredLater)} credits for ${events} that occurred by then.`,
    );
  }
  if (line.meteredAhead > 0n) {
    lines.push(
      `Metered by then: ${formatCredits(line.meteredAhead)} credits for events that occurred after it.`,
    );
  }
  for (const { sequence, kind, credits, postedAt } of laterEntries(history)) {
    lines.push(
      `Posted later: entry ${sequence}, ${kind} of ${formatCredits(credits)} credits, at ${formatInstant(postedAt)}.`,
    );
  }
  if (lines.length > 0) return lines.join("\n");
  return differs(history)
    ? "The two differ by entries that fell due after it."
    : "Nothing was posted or metered later: the books knew then what is known now.";
}

function lotsText(history: History): string {
  const { stood, known } = history.views;
  // In the order of the line; lots that the books did not have then come last.
  const later = known.lots.filter((lot) => placeIn(stood, lot) === undefined);
  const placed = [...stood.lots, ...later];
  if (placed.length === 0) return "It had no lots.";
  const rows = placed.map((lot) => ({
    ...grantedLot(history, lot),
    place: placeIn(stood, lot),
    leftThen: leftText(stood, lot),
    leftNow: leftText(known, lot),
  }));
  return [
    table(rows, [
      ["LOT", ({ lotId }) => lotId],
      ["SOURCE", ({ source }) => source],
      ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
      ["LEFT AS IT STOOD", ({ leftThen }) => leftThen, "right"],
      ["LEFT AS KNOWN NOW", ({ leftNow }) => leftNow, "right"],
      ["GRANTED", ({ grantedAt }) => formatInstant(grantedAt)],
      ["ENDS", ({ expiresAt }) => formatInstant(expiresAt)],
      ["ON THE LINE THEN", ({ place }) => (place === undefined ? "" : stretchText(place))],
    ]),
    "",
    `${drawLine(stood.lots, stood.position)}  as it stood (# gone, - left, ! debt)`,
    ...(differs(history) ? [`${drawLine(known.lots, known.position)}  as known now`] : []),
  ].join("\n");
}

function placeIn({ lots }: LineWithLots, { lotId }: PlacedLot): PlacedLot | undefined {
  return lots.find((lot) => lot.lotId === lotId);
}

function leftText(view: LineWithLots, lot: PlacedLot): string {
  const place = placeIn(view, lot);
  return place === undefined ? "-" : formatCredits(remainingOf(place, view.position));
}

type Rows = (readonly [name: string, value: string])[];

function subscriptionRows({ place, addOns }: SubscriptionThen): Rows {
  if (place === null) return [["plan", "none"]];
  const states = [
    `${place.planId}, paid ${oftenText(place.interval)}`,
    ...(place.nextPlanId === null ? [] : [`${place.nextPlanId} from the next period on`]),
    ...(place.nextInterval === null ? [] : [`then paid ${oftenText(place.nextInterval)}`]),
    ...(place.cancelled ? ["cancelled, to the end of what is paid"] : []),
    ...(place.suspended ? ["suspended until its fees are paid"] : []),
  ];
  const uses = addOns.map(({ addOnId, quantity, nextQuantity }) => {
    const next = nextQuantity === quantity ? "" : ` (${nextQuantity} from the next period on)`;
    return `${addOnId} ${quantity}${next}`;
  });
  return [
    ["plan", states.join("; ")],
    ["add-ons", uses.length === 0 ? "none" : uses.join(", ")],
  ];
}

function settingsRows(history: History): Rows {
  const { currency, views, settings } = history;
  const then = settingsAt(settings, history.line.at);
  if (then === null) return [["settings", unknownText(settings)]];
  const { timeZone, threshold, autoTopUp } = then.settings;
  const { amount, perDay, perMonth } = amountsOf(autoTopUp, history);
  const [each, day, month] = [amount, perDay, perMonth].map((money) => moneyText(money, currency));
  const low = balanceOf(views.stood) <= threshold ? "; the balance was at or below it" : "";
  return [
    ["threshold", `${formatCredits(threshold)} credits${low}`],
    ["time zone", timeZone],
    [
      "auto top-up",
      autoTopUp.enabled ? `on, ${each}, at most ${day} a day and ${month} a month` : "off",
    ],
    ["last set", `${formatInstant(then.at)} by ${then.by}`],
  ];
}

function unknownText([first]: readonly SettingChange[]): string {
  return first === undefined ? "not known" : `not known before ${formatInstant(first.at)}`;
}
