import { decideThreshold } from "../core/changes/change-threshold.ts";
import { decideTimeZoneChange } from "../core/changes/change-time-zone.ts";
import { inOne } from "../core/changes/subscription-change.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { type Change, refusal, subject } from "./change.ts";

/** Both changes, or the refusal of either. */
export function inTurn(first: Change, then: Change): Change {
  return (context) => {
    const before = first(context);
    if (before.kind === "refused") return before;
    const after = then({ ...context, book: before });
    return after.kind === "refused" ? after : inOne(before, after);
  };
}

export function setTimeZone(timeZone: string): Change {
  return (context) => {
    const decision = decideTimeZoneChange(timeZone, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "unknown_time_zone":
        return refusal(`there is no time zone ${timeZone}`);
      case "no_change":
        return refusal(`${subject(context)} is in time zone ${timeZone} already`);
    }
  };
}

export function setThreshold(threshold: MicroCredits): Change {
  return (context) => {
    const decision = decideThreshold(threshold, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "no_change":
        return refusal(
          `the threshold of ${subject(context)} is ${formatCredits(threshold)} credits already`,
        );
    }
  };
}
