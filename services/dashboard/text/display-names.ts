import { signal } from "@preact/signals";
import type { DisplayNamesData } from "../../../shared/contract/display-name.ts";

type DisplayName = DisplayNamesData["items"][number];

/** The names of the account's page, by what they are of and its id. What shows one follows its changes. */
const known = signal<ReadonlyMap<string, DisplayName>>(new Map());

export function setNames({ items }: Pick<DisplayNamesData, "items">): void {
  known.value = new Map(items.map((item) => [`${item.what} ${item.id}`, item]));
}

export function meterName(meter: string): string {
  return nameOf("meter", meter) ?? inWords(meter);
}

/** What follows a quantity of a meter: " queries"; empty without a unit. */
export function unitOf(meter: string, quantity: bigint): string {
  const unit = known.value.get(`meter ${meter}`)?.unit;
  if (unit === null || unit === undefined) return "";
  return ` ${isolated(quantity === 1n ? unit.one : unit.many)}`;
}

export function planName(planId: string): string {
  return nameOf("plan", planId) ?? planId;
}

export function addOnName(addOnId: string): string {
  return nameOf("add_on", addOnId) ?? inWords(addOnId);
}

export function dimensionName(dimension: string): string {
  return nameOf("dimension", dimension) ?? dimension;
}

export function valueName(dimension: string, value: string): string {
  return nameOf("dimension_value", `${dimension}=${value}`) ?? value;
}

function nameOf(what: DisplayName["what"], id: string): string | null {
  const name = known.value.get(`${what} ${id}`)?.name;
  return name === null || name === undefined ? null : isolated(name);
}

/** "voice.milliseconds" is "voice milliseconds". */
function inWords(id: string): string {
  return id.replaceAll(/[._-]+/g, " ");
}

const FROM_RIGHT =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** Keeps a name written from right to left from reordering what stands beside it (Unicode's isolates). */
function isolated(text: string): string {
  return FROM_RIGHT.test(text) ? `\u2068${text}\u2069` : text;
}
