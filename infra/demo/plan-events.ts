import type { AccountId } from "../../shared/core/line/account.ts";
import { INPUT_TOKENS, OUTPUT_TOKENS } from "./rates.ts";
import { spreadRequests } from "./spread.ts";
import type { TraceRequest } from "./trace.ts";

/** A usage event to publish. */
export interface PlannedEvent {
  readonly eventId: string;
  readonly accountId: AccountId;
  readonly meter: string;
  readonly quantity: bigint;
  /** After the first request, at the recorded pace. */
  readonly afterMs: number;
}

/** Two events per request, in the trace's order: input tokens, then output tokens. */
export function planEvents(
  trace: readonly TraceRequest[],
  accounts: readonly { readonly accountId: AccountId }[],
  prefix: string,
): PlannedEvent[] {
  const spread = spreadRequests(trace.length, accounts.length);
  return trace.flatMap((request, index) => {
    const account = accounts[spread[index] ?? 0];
    if (account === undefined) throw new Error("there is no account to spread requests over");
    const { accountId } = account;
    const { afterMs, inputTokens, outputTokens } = request;
    const id = `${prefix}-request-${String(index + 1).padStart(5, "0")}`;
    const common = { accountId, afterMs };
    return [
      { ...common, eventId: `${id}-input`, meter: INPUT_TOKENS, quantity: inputTokens },
      { ...common, eventId: `${id}-output`, meter: OUTPUT_TOKENS, quantity: outputTokens },
    ];
  });
}
