import type { EntryData } from "../api/account-data.ts";
import { moneyFirst } from "./payment-text.ts";

const NAMES: Readonly<Record<string, string>> = {
  grant: "Credits added",
  expiry: "Expired, unused",
  add_on_charge: "Add-on",
  adjustment: "Adjustment",
  reversal: "Taken back",
  withdrawal: "Withdrawn",
};

/** What an entry was, in words: "Add-on · voice cloning, 2 more units". */
export function entryText({ kind, reference }: EntryData): string {
  const name = NAMES[kind] ?? kind.replaceAll("_", " ");
  const detail = kind === "add_on_charge" ? addOnText(reference) : moneyFirst(reference);
  return detail === "" ? name : `${name} · ${detail}`;
}

/** A charge is named `add-on:<id>:<number>:<period>:<units paid before>-<units>`. */
function addOnText(reference: string): string {
  const [, id, from, to] = /^add-on:(.+):\d+:\d+:(\d+)-(\d+)$/.exec(reference) ?? [];
  if (id === undefined || from === undefined || to === undefined) return reference;
  const units = BigInt(to) - BigInt(from);
  return units === 1n ? addOnName(id) : `${addOnName(id)}, ${units} units`;
}

/** An add-on's id in words. */
export function addOnName(id: string): string {
  return id.replaceAll(/[._-]+/g, " ");
}
