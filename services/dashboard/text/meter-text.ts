import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { countText } from "./credit-text.ts";
import { addOnName } from "./entry-text.ts";

/** A meter's id in words: "voice.milliseconds" is "voice milliseconds". */
export function meterName(meter: string): string {
  return meter.replaceAll(/[._-]+/g, " ");
}

/** A usage record in words: "voice milliseconds, 62,400". */
export function usageText({ meter, quantity }: UsageRecordData): string {
  return `${meterName(meter)}, ${countText(BigInt(quantity))}`;
}

/** The source and dimensions of usage: "dialer · agent anna · project pilot". */
export function originText({ source, dimensions }: UsageRecordData): string {
  const named = Object.entries(dimensions).map(([name, value]) => `${name} ${value}`);
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

/** The name of a group. Usage without the source or dimension has an empty key. */
export function keyName(key: string, group: "meter" | "source" | "dimension"): string {
  const addOn = addOnOf(key);
  if (addOn !== null) return `${addOnName(addOn)} (add-on)`;
  if (key === "") return "not set";
  return group === "meter" ? meterName(key) : key;
}
