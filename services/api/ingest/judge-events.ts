import type { DeadLetterReason, UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { fieldOf, isObject, type Json } from "./json.ts";
import { type IngestRules, toUsage } from "./to-usage.ts";

/** An event that is not accepted. */
interface Rejected {
  /** Its index in the batch. */
  readonly index: number;
  readonly id: string | null;
  readonly reason: DeadLetterReason;
  readonly field: string;
  readonly detail: string;
}

export interface Judged {
  /** The number of accepted events; each may be usage of several meters. */
  readonly accepted: number;
  /** The number of those that state no time, and so occurred now. */
  readonly untimed: number;
  readonly usage: readonly UsageEvent[];
  readonly rejected: readonly Rejected[];
}

/** Separates the events that can be accepted from those that cannot. */
export function judgeEvents(events: readonly Json[], rules: IngestRules): Judged {
  const usage: UsageEvent[] = [];
  const rejected: Rejected[] = [];
  let untimed = 0;
  for (const [index, event] of events.entries()) {
    const outcome = toUsage(event, rules);
    if (outcome.kind === "taken") {
      usage.push(...outcome.usage);
      if (isObject(event) && (fieldOf(event, "time") ?? null) === null) untimed += 1;
    } else {
      const { reason, field, detail } = outcome;
      rejected.push({ index, id: idOf(event), reason, field, detail });
    }
  }
  return { accepted: events.length - rejected.length, untimed, usage, rejected };
}

function idOf(event: Json): string | null {
  const id = isObject(event) ? fieldOf(event, "id") : undefined;
  return typeof id === "string" ? id : null;
}
