import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import type { Grouping } from "../api/account-api.ts";
import { countText } from "./credit-text.ts";
import { addOnName, dimensionName, meterName, unitOf, valueName } from "./display-names.ts";

/** A usage record in words: "Searches, 40 queries". */
export function usageText({
  meter,
  quantity,
}: Pick<UsageRecordData, "meter" | "quantity">): string {
  return `${meterName(meter)}, ${quantityText(meter, BigInt(quantity))}`;
}

/** A quantity of a meter with its unit, if it has one: "40 queries". */
export function quantityText(meter: string, quantity: bigint): string {
  return countText(quantity) + unitOf(meter, quantity);
}

/** The source and dimensions of usage: "dialer · agent anna · project pilot". */
export function originText({
  source,
  dimensions,
}: Pick<UsageRecordData, "source" | "dimensions">): string {
  const named = Object.entries(dimensions).map(
    ([name, value]) => `${dimensionName(name)} ${valueName(name, value)}`,
  );
  return [source, ...named].filter((part) => part !== "").join(" · ");
}

/** Sets the keys of add-ons apart from those of usage, which never contain it. */
const ADD_ON = "\0";

/** The key of an add-on's charges among those of usage. */
export function addOnKey(addOnId: string): string {
  return ADD_ON + addOnId;
}

/** The add-on that a key is of; null: it is one of usage. */
export function addOnOf(key: string): string | null {
  return key.startsWith(ADD_ON) ? key.slice(ADD_ON.length) : null;
}

/** What is grouped by. */
export function groupName(grouping: Grouping): string {
  return grouping.group === "dimension" ? dimensionName(grouping.dimension) : grouping.group;
}

/** The name of a group. Usage without the source or dimension has an empty key. */
export function keyName(key: string, grouping: Grouping): string {
  const addOn = addOnOf(key);
  if (addOn !== null) return `${addOnName(addOn)} (add-on)`;
  if (key === "") return "not set";
  if (grouping.group === "dimension") return valueName(grouping.dimension, key);
  return grouping.group === "meter" ? meterName(key) : key;
}
