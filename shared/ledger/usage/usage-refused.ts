import type { Refusal } from "../../core/line/refusal.ts";

/** Usage of a range cannot be read: it would take longer than ten seconds, or is past retention. */
export class UsageRefused extends Error {
  readonly refusal: Refusal<"range_too_large" | "usage_past_retention">;

  constructor(refusal: UsageRefused["refusal"], options?: ErrorOptions) {
    super(`the usage cannot be read: ${refusal.kind}`, options);
    this.refusal = refusal;
  }
}
