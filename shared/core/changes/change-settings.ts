import type { MicroCredits } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import { decideOverdraft } from "./change-overdraft.ts";
import { decideThreshold } from "./change-threshold.ts";
import { decideTimeZoneChange } from "./change-time-zone.ts";
import type { ChangeContext, Changed } from "./subscription-change.ts";

/** The settings to change; the others stay as they are. */
export interface RequestedSettings {
  readonly threshold?: MicroCredits | undefined;
  /** Null: the default. */
  readonly overdraft?: MicroCredits | null | undefined;
  /** A name of the IANA time zone database. */
  readonly timeZone?: string | undefined;
}

type Decision = Changed | Refusal<"no_change" | "unknown_time_zone">;

/**
 * Sets some of an account's threshold, overdraft and time zone as one movement; if one is refused, none is set.
 * The time zone comes last: in another one a turn may be due, which is settled afterwards.
 */
export function decideSettings(
  { threshold, overdraft, timeZone }: RequestedSettings,
  context: ChangeContext,
): Decision {
  const steps: ((at: ChangeContext) => Decision)[] = [];
  if (threshold !== undefined) steps.push((at) => decideThreshold(threshold, at));
  if (overdraft !== undefined) steps.push((at) => decideOverdraft(overdraft, at));
  if (timeZone !== undefined) steps.push((at) => decideTimeZoneChange(timeZone, at));
  let done: Changed | null = null;
  for (const step of steps) {
    const then = step({ ...context, book: done ?? context.book });
    if (then.kind !== "changed") return then;
    done = done === null ? then : joined(done, then);
  }
  return done ?? decideTimeZoneChange(context.book.account.timeZone, context);
}

function joined(first: Changed, then: Changed): Changed {
  const changes = [...first.changes, ...then.changes];
  return { ...then, changes, lowBalance: then.lowBalance ?? first.lowBalance };
}
