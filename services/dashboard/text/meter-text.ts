import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { countText } from "./credit-text.ts";

/** A meter's id in words: "voice.milliseconds" is "voice milliseconds". */
export function meterName(meter: string): string {
  return meter.replaceAll(/[._-]+/g, " ");
}

/** What a usage was: "voice milliseconds, 62,400". */
export function usageText({ meter, quantity }: UsageRecordData): string {
  return `${meterName(meter)}, ${countText(BigInt(quantity))}`;
}

/** Where a usage came from: its source and its dimensions, "dialer · agent anna · project pilot". */
export function originText({ source, dimensions }: UsageRecordData): string {
  const named = Object.entries(dimensions).map(([name, value]) => `${name} ${value}`);
  return [source, ...named].filter((part) => part !== "").join(" · ");
}

/** The name of a group in words: none of them is not nothing. */
export function keyName(key: string, group: "meter" | "source" | "dimension"): string {
  if (key === "") return "not said";
  return group === "meter" ? meterName(key) : key;
}
