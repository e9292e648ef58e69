import type { RunwayData } from "../../../shared/contract/runway.ts";
import { shortCredits } from "./credit-text.ts";
import { dateText, momentText } from "./time-text.ts";
import { daysBetween } from "./zoned-time.ts";

/** How long the credits last, as a sentence whose `until` is emphasized. */
export interface RunwayText {
  readonly before: string;
  readonly until: string;
  readonly after: string;
}

const DAY = 86_400_000;

/** A runway in words, with its pace. A new account has had no credits yet. */
export function runwayText(
  runway: RunwayData,
  zone: string,
  now: number,
  isNew = false,
): RunwayText {
  const pace = BigInt(runway.pace_per_day);
  const balance = BigInt(runway.balance);
  const days = paceDays(runway);
  if (balance < 0n) return plain("The next credits repay this debt first.");
  if (isNew) return plain("No credits have been added yet.");
  if (balance === 0n) return plain("Nothing is left to use.");
  if (pace === 0n) {
    return plain(
      `Nothing was used in the last ${days}, so there is no estimate of how long they last.`,
    );
  }
  const before = `At the pace of the last ${days} (${shortCredits(pace)} a day) they `;
  if (runway.lasts_until === null) {
    return {
      before: `${before}last longer than can be estimated`,
      until: "",
      after: unusedText(runway),
    };
  }
  const until = Date.parse(runway.lasts_until);
  const near = daysBetween(zone, now, until) <= 1;
  return {
    before: `${before}last until `,
    until: near ? tomorrowText(zone, until, now) : dateText(zone, until, now),
    after: unusedText(runway),
  };
}

function unusedText({ expires_unused }: RunwayData): string {
  const unused = BigInt(expires_unused);
  if (unused === 0n) return ", and none expire before they are used.";
  return `. ${shortCredits(unused)} of them expire before they are used.`;
}

function tomorrowText(zone: string, at: number, now: number): string {
  const text = momentText(zone, at, now);
  return daysBetween(zone, now, at) === 1 ? `tomorrow, ${text.split(", ").at(-1)}` : text;
}

function paceDays({ pace_from, pace_to }: RunwayData): string {
  const hours = Math.round((Date.parse(pace_to) - Date.parse(pace_from)) / (DAY / 24));
  const days = Math.round(hours / 24);
  // A day, from the start of an hour on.
  if (hours === 25) return "24 hours";
  if (hours < 36) return hours <= 1 ? "hour" : `${hours} hours`;
  return `${days} days`;
}

function plain(text: string): RunwayText {
  return { before: text, until: "", after: "" };
}
