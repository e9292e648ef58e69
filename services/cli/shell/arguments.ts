import { userInfo } from "node:os";
import { eventIds } from "../../../shared/client/event-ids.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT, type MicroCredits } from "../../../shared/core/line/credit-line.ts";
import { isOverdraft, UNLIMITED } from "../../../shared/core/line/overdraft.ts";
import { LOT_SOURCES, type LotSource } from "../../../shared/core/month/grant-credits.ts";
import type { BillingInterval, Renewal } from "../../../shared/core/offer/billing-periods.ts";
import { isTimeZone } from "../../../shared/core/offer/months.ts";
import type { RoundUp } from "../../../shared/core/offer/rate-card.ts";
import { parseCredits } from "../../../shared/core/text/credits-text.ts";
import { parseInstant } from "../../../shared/core/text/instant-text.ts";
import { isCurrency, parseMoney } from "../../../shared/core/text/money.ts";
import { parsePercent } from "../../../shared/core/text/percent.ts";
import {
  idProblem,
  isStorable,
  pathIdProblem,
  toAccountId,
  toNewAccountId,
} from "../../../shared/core/text/text.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import {
  type DeadLetterPlace,
  MAX_PARTITION,
} from "../../../shared/core/usage/dead-letter-place.ts";
import { WrongUsage } from "./result.ts";

/** Parsers of arguments and options. Each throws WrongUsage with one sentence that names the argument. */

export function accountIdArgument(text: string): AccountId {
  return orWrongUsage(() => toAccountId(text));
}

/** The id of an account to create. */
export function newAccountIdArgument(text: string): AccountId {
  return orWrongUsage(() => toNewAccountId(text));
}

/** Any id but an account's: of a lot, an event, a meter. */
export function idArgument(name: string, text: string): string {
  return orWrongUsageOf(idProblem(name, text), text);
}

/** The id of a lot or hold to create, which has a URL of its own; one is made where none is given. */
export function newIdArgument(name: string, text: string | undefined): string {
  if (text === undefined) return eventIds()(Date.now());
  return orWrongUsageOf(pathIdProblem(name, text), text);
}

function orWrongUsageOf(problem: string | null, text: string): string {
  if (problem !== null) throw new WrongUsage(problem);
  return text;
}

export function creditsArgument(text: string): MicroCredits {
  return orWrongUsage(() => parseCredits(text));
}

/** Parses names and values: "model=gpt-5". */
export function pairsArgument(
  option: string,
  texts: readonly string[],
): readonly (readonly [name: string, value: string])[] {
  const pairs = texts.map((text) => pairOf(option, text));
  const twice = pairs.find(([name], at) => pairs.slice(0, at).some(([before]) => before === name));
  if (twice !== undefined) throw new WrongUsage(`${option} has two values for ${twice[0]}`);
  return pairs;
}

function pairOf(option: string, text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new WrongUsage(`${option} is written like model=gpt-5, not "${text}"`);
}

/** Parses an overdraft: "none", "unlimited", "default" (null), or credits. */
export function overdraftArgument(text: string): MicroCredits | null {
  if (text === "default") return null;
  const credits = text === "unlimited" ? UNLIMITED : text === "none" ? 0n : creditsArgument(text);
  if (isOverdraft(credits)) return credits;
  throw new WrongUsage(`the overdraft is ${text}; it cannot be below zero`);
}

/** Parses units of the account's currency ("9.90"); returns minor units. */
export function moneyArgument(text: string, currency: string): bigint {
  return orWrongUsage(() => parseMoney(text, currency));
}

/** Parses a percentage; returns basis points. */
export function percentArgument(name: string, text: string): number {
  return orWrongUsage(() => {
    try {
      return parsePercent(text);
    } catch (problem) {
      throw problem instanceof RangeError ? new RangeError(`${name} ${problem.message}`) : problem;
    }
  });
}

/** Parses a whole number of at least `least` that fits into 64 bits. */
export function wholeArgument(name: string, text: string, least: bigint): bigint {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : null;
  if (number === null || number < least || number > MAX_BIGINT) {
    throw new WrongUsage(`${name} must be a whole number of at least ${least}, not "${text}"`);
  }
  return number;
}

const ROUND_UP: readonly RoundUp[] = ["each_event", "each_month"];

/** Parses what is rounded up to whole packages. */
export function roundUpArgument(name: string, text: string): RoundUp {
  const found = ROUND_UP.find((known) => known === text);
  if (found !== undefined) return found;
  throw new WrongUsage(`${name} must be ${ROUND_UP.join(" or ")}, not "${text}"`);
}

/** Parses ISO 8601 with an offset: without one the instant would depend on the machine's time zone. */
export function instantArgument(name: string, text: string): Instant {
  const instant = parseInstant(text);
  if (instant === null) {
    throw new WrongUsage(`${name} must be an instant like 2026-09-01T00:00:00Z, not "${text}"`);
  }
  return instant;
}

export function timeZoneArgument(text: string): string {
  if (isTimeZone(text)) return text;
  throw new WrongUsage(`"${text}" is not a time zone; write it like Europe/Berlin`);
}

export function currencyArgument(text: string): string {
  if (isCurrency(text)) return text;
  throw new WrongUsage(`"${text}" is not a currency of ISO 4217; write it like EUR`);
}

export function sourceArgument(text: string): LotSource {
  const source = LOT_SOURCES.find((known) => known === text);
  if (source !== undefined) return source;
  throw new WrongUsage(`--source must be one of ${LOT_SOURCES.join(", ")}, not "${text}"`);
}

export function intervalArgument(name: string, text: string): BillingInterval {
  if (text === "month" || text === "year") return text;
  throw new WrongUsage(`${name} must be month or year, not "${text}"`);
}

export function renewalArgument(text: string): Renewal {
  if (text === "first-of-month") return "first_of_month";
  if (text === "day-of-month") return "day_of_month";
  throw new WrongUsage(`--renewal must be first-of-month or day-of-month, not "${text}"`);
}

/** Who makes the changes that the schedule makes by itself, in the history. */
const SCHEDULE = "schedule";

/** Who makes a change: as given, else the operating system's user, or `cli` where that has no usable name. */
export function byArgument(text: string | undefined): string {
  if (text === undefined) return systemUser() ?? "cli";
  if (text === SCHEDULE) {
    throw new WrongUsage(
      `--by cannot be ${SCHEDULE}, the name of automatic changes in the history`,
    );
  }
  return idArgument("--by", text);
}

function systemUser(): string | null {
  try {
    const { username } = userInfo();
    return idProblem("user", username) === null && username !== SCHEDULE ? username : null;
  } catch {
    // The user id has no name, as in many containers.
    return null;
  }
}

const MAX_TEXT_LENGTH = 1024;

export function referenceArgument(text: string): string {
  return textArgument("--reference", text);
}

/** Parses free text that the books keep. */
export function textArgument(name: string, text: string): string {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new WrongUsage(
      `${name} has ${text.length} characters; at most ${MAX_TEXT_LENGTH} are allowed`,
    );
  }
  if (isStorable(text)) return text;
  throw new WrongUsage(`${name} contains a NUL character or half of a surrogate pair`);
}

const PLACE = /^(?:([A-Za-z0-9._-]{1,249})\/)?(\d{1,10})\/(\d{1,19})$/;

/** Parses a message's topic, partition and offset: `usage.events/2/1041`, or `2/1041` of that topic. */
export function placeArgument(text: string): DeadLetterPlace {
  const [, topic = TOPICS.usageEvents, partition, offset = ""] = PLACE.exec(text) ?? [];
  const place = { topic, partition: Number(partition), offset: BigInt(offset) };
  if (place.partition <= MAX_PARTITION && place.offset <= MAX_BIGINT) return place;
  throw new WrongUsage(
    `a dead letter is named like ${TOPICS.usageEvents}/2/1041 or 2/1041 (partition, offset), not "${text}"`,
  );
}

/** Throws WrongUsage with the reason of a RangeError; `option` begins the sentence. */
export function orWrongUsage<T>(read: () => T, option = ""): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new WrongUsage(`${option}${error.message}`);
    throw error;
  }
}
