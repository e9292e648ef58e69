import type { rateAsStated } from "../../../shared/contract/catalogue.ts";
import { explainedUsage, toExplainedUsage } from "../../../shared/contract/usage-record.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { explainedRateOf } from "../../../shared/core/offer/explained-rate.ts";
import {
  type AccountCard,
  type MeterVersion,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { cardOf, toRates } from "../../../shared/core/offer/rates.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { formatPercent } from "../../../shared/core/text/percent.ts";
import { listOwnTermsOf } from "../../../shared/ledger/catalogue/own-terms.ts";
import { withOrigins } from "../../../shared/ledger/catalogue/rate-origins.ts";
import { listRates } from "../../../shared/ledger/catalogue/rates.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import {
  findMeteredEvent,
  type MeteredEvent,
  type NamedEvent,
} from "../../../shared/ledger/usage/explain.ts";
import { withCounted } from "../../../shared/ledger/usage/explain-counted.ts";
import { lotsThatPaid } from "../../../shared/ledger/usage/explain-late.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { listPriceText, unitPriceText } from "../shell/price-text.ts";
import { type Column, fields, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown } from "../shell/result.ts";

/** Shows which lots paid for an event, and how much of it is still debt. */
export async function explainEvent(settings: Settings, named: NamedEvent): Promise<Result> {
  const { accountId } = named;
  return readAccountBooks(settings, accountId, async (transaction) => {
    const event = await findMeteredEvent(transaction, named);
    if ("kind" in event) return refused(event);
    const card = await readCard(transaction, accountId, event);
    const rates = event.lines.map((line) => explainedRateOf(card, { ...event, ...line }));
    const counted = await withCounted(transaction, accountId, card, event, rates);
    const lots = await lotsThatPaid(transaction, accountId, event);
    const explained = toExplainedUsage(event, lots, await withOrigins(transaction, counted));
    return shown(explainedUsage, explained, explainedText(accountId, explained));
  });
}

/** What the event's meters cost the account. */
async function readCard(
  transaction: Transaction,
  accountId: AccountId,
  { lines }: MeteredEvent,
): Promise<AccountCard> {
  const versions: MeterVersion[] = [];
  for (const { meter } of lines) versions.push(...(await listRates(transaction, meter)));
  const terms = await listOwnTermsOf(transaction, accountId);
  return cardOf(toRates(toRateCard(versions), terms), accountId);
}

type Explained = ReturnType<typeof toExplainedUsage<MeteredEvent>>;
type PricedBy = ReturnType<typeof rateAsStated> & { readonly validFrom: number };

function explainedText(accountId: AccountId, record: Explained): string {
  const dimensions = Object.entries(record.dimensions).map(([name, value]) => `${name}=${value}`);
  return [
    fields([
      ["event", record.eventId],
      ["account", accountId],
      ["used", record.lines.map(({ meter, quantity }) => `${quantity} of ${meter}`).join(", ")],
      ["cost", `${formatCredits(record.credits)} credits`],
      ...(record.lines.length === 1 ? rateFields(record.rate) : []),
      ...record.lines.flatMap(countedRow),
      ...ownTermsTexts(record.lines).map((text) => ["own terms", text] as const),
      ["occurred", formatInstant(record.occurredAt)],
      ["metered", formatInstant(record.meteredAt)],
      ["source", record.source === "" ? "not given" : record.source],
      ...(dimensions.length === 0 ? [] : [["dimensions", dimensions.join(", ")] as const]),
      ...(record.holdId === null ? [] : [["hold", holdText(record)] as const]),
      ["read at", `partition ${record.partition}, offset ${record.offset}`],
    ]),
    "",
    ...(record.lines.length === 1 ? [] : [linesTable(record.lines), ""]),
    paidText(record),
  ].join("\n");
}

function holdText({ holdId, holdUsed }: Explained): string {
  if (holdUsed === null) return `${holdId}`;
  return `${holdId}, ${holdUsed ? "which took it" : "which had ended or was not the account's, and took nothing"}`;
}

interface PricedLine {
  readonly meter: string;
  readonly quantity: bigint;
  readonly credits: bigint;
  readonly rate: Explained["rate"];
}

const LIST_RATE: Column<PricedLine> = ["LIST RATE", ({ rate }) => listRateText(rate)];
const LIST_PRICE: Column<PricedLine> = ["LIST PRICE", ({ rate }) => madeFrom(rate)];

function countedRow({ meter, rate }: PricedLine): (readonly [string, string])[] {
  if (!rate?.counted) return [];
  const { month, from, to } = rate.counted;
  const units = `units ${from} to ${to} of ${meter} in ${formatInstant(month).slice(0, 7)} (UTC)`;
  return [["counted", units]];
}

function linesTable(lines: readonly PricedLine[]): string {
  return table(lines, [
    ["METER", ({ meter }) => meter],
    ["QUANTITY", ({ quantity }) => quantity, "right"],
    ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
    ["RATE", ({ rate }) => rateText(rate)],
    ...(lines.some(({ rate }) => rate?.own) ? [LIST_RATE] : []),
    ...(lines.some(({ rate }) => rate?.list?.listPrice) ? [LIST_PRICE] : []),
  ]);
}

/** "2.5 credits for 1000000 units, for model=gpt-5, quantity from 9, from 2026-09-01T00:00:00.000Z on" */
export function rateText(rate: PricedBy | null): string {
  if (rate === null) return "unknown";
  const named = [
    ...Object.entries(rate.when).map(([name, value]) => `${name}=${value}`),
    ...Object.entries(rate.from).map(([name, from]) => `${name} from ${from}`),
    ...(rate.fromQuantity === null ? [] : [`quantity from ${rate.fromQuantity}`]),
  ];
  const values = named.length === 0 ? "" : `, for ${named.join(", ")}`;
  return `${unitPriceText(rate)}${values}, from ${formatInstant(rate.validFrom)} on`;
}

/** The rate, what the list has, and the list price, the markup and the file that this was imported from. */
function rateFields(rate: Explained["rate"]): (readonly [string, string])[] {
  return [
    ["rate", rateText(rate)],
    ...(rate?.own ? [["list rate", listRateText(rate)] as const] : []),
    ...sourceFields(rate),
  ];
}

function sourceFields(rate: Explained["rate"]): (readonly [string, string])[] {
  const source = rate?.source;
  if (source === undefined) return [];
  const { file, format, sha256, currency, perCredit } = source;
  return [
    ["list price", `${madeFrom(rate)}, a credit at ${currency} ${perCredit}`],
    ["source", `${file} (${format}, SHA-256 ${sha256})`],
  ];
}

/** What the account would pay without terms of its own. */
function listRateText(rate: Explained["rate"]): string {
  return rate?.list ? unitPriceText(rate.list) : "none";
}

/** "USD 1.25 for 1000000 units, times 1.3" */
function madeFrom(rate: Explained["rate"]): string {
  const listed = rate?.list?.listPrice;
  return listed === undefined ? "" : `${listPriceText(listed)}, times ${listed.markup}`;
}

/** The own terms that held for lines, each once. */
function ownTermsTexts(lines: readonly PricedLine[]): readonly string[] {
  return [...new Set(lines.flatMap(({ rate }) => (rate?.own ? [ownTermsText(rate.own)] : [])))];
}

type OwnTermsOfEvent = NonNullable<NonNullable<Explained["rate"]>["own"]>;

/** "12.5 % off, on all meters, from 2026-09-01T00:00:00.000Z on, set by kim: contract" */
function ownTermsText({ discount, meter, validFrom, setBy, reason }: OwnTermsOfEvent): string {
  const kind = discount === null ? "rates of its own" : `${formatPercent(discount)} % off`;
  const from = formatInstant(validFrom);
  return `${kind}, on ${meter ?? "all meters"}, from ${from} on, set by ${setBy}: ${reason}`;
}

function paidText({ credits, lots, owed }: Explained): string {
  if (credits === 0n) return "It cost nothing, so no lot paid.";
  const debt = `${formatCredits(owed)} credits of it are debt that no lot has repaid yet.`;
  if (lots.length === 0) return debt;
  const paid = table(lots, [
    ["PAID BY LOT", ({ lotId }) => lotId],
    ["SOURCE", ({ source }) => source],
    ["GRANTED BY", ({ grantedBy }) => grantedBy ?? ""],
    ["CREDITS", (lot) => formatCredits(lot.credits), "right"],
  ]);
  return owed === 0n ? paid : `${paid}\n${debt}`;
}
