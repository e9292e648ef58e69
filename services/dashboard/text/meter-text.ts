import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { countText } from "./credit-text.ts";

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

/** The name of a group. Usage without the source or dimension has an empty key. */
export function keyName(key: string, group: "meter" | "source" | "dimension"): string {
  if (key === "") return "not set";
  return group === "meter" ? meterName(key) : key;
}
