import type { MicroCredits } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import { decideThreshold } from "./change-threshold.ts";
import { decideTimeZoneChange } from "./change-time-zone.ts";
import type { ChangeContext, Changed } from "./subscription-change.ts";

/** The settings to change; the others stay as they are. */
export interface RequestedSettings {
  readonly threshold?: MicroCredits | undefined;
  /** A name of the IANA time zone database. */
  readonly timeZone?: string | undefined;
}

/**
 * Sets an account's threshold, time zone or both as one movement; if one is refused, neither is set.
 * The threshold comes first: in another time zone a turn may be due, which is settled afterwards.
 */
export function decideSettings(
  { threshold, timeZone }: RequestedSettings,
  context: ChangeContext,
): Changed | Refusal<"no_change" | "unknown_time_zone"> {
  const first = threshold === undefined ? null : decideThreshold(threshold, context);
  if (first !== null && (first.kind !== "changed" || timeZone === undefined)) return first;
  const book = first ?? context.book;
  const then = decideTimeZoneChange(timeZone ?? book.account.timeZone, { ...context, book });
  if (first === null || then.kind !== "changed") return then;
  const changes = [...first.changes, ...then.changes];
  return { ...then, changes, lowBalance: then.lowBalance ?? first.lowBalance };
}
