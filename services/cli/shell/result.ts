import { z } from "zod";
import { explainRefusal } from "../../../shared/contract/refusals.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Refusal, RefusalKind } from "../../../shared/core/line/refusal.ts";
import { printable } from "./print.ts";

/** What a command has to say in the end. Outages and wrong usage are thrown instead. */
export type Result =
  | {
      readonly kind: "shown";
      readonly data: () => unknown;
      readonly text: string;
      /** One sentence when what is shown is not as it should be. */
      readonly failure: string | null;
    }
  /** All it has to show is written to standard output already. */
  | { readonly kind: "written"; readonly failure: string | null }
  /** It was not done, or there is no such thing: one sentence why, and its name where it has one. */
  | { readonly kind: "refused"; readonly sentence: string; readonly code: RefusalKind | null };

/** `value` is what `--json` shows, as the noun's shape has it. */
export function shown<Noun extends z.ZodType>(
  noun: Noun,
  value: z.output<Noun>,
  text: string,
  failure: string | null = null,
): Result {
  return { kind: "shown", data: () => z.encode(noun, value), text, failure };
}

/** Refused by the core or the ledger, or, in words, by the command itself. */
export function refused(refusal: Refusal | string): Result {
  if (typeof refusal === "string") {
    return { kind: "refused", sentence: printable(refusal), code: null };
  }
  const { sentence, hint } = explainRefusal(refusal);
  const text = hint === undefined ? sentence : `${sentence} (${hint})`;
  return { kind: "refused", sentence: printable(text), code: refusal.kind };
}

export function noAccount(accountId: AccountId): Result {
  return refused({ kind: "unknown_account", accountId });
}

/** What was typed cannot be meant: exit code 2. */
export class WrongUsage extends Error {}

/** A server cannot be reached or used; the message says which one and where. Exit code 1. */
export class PartUnavailable extends Error {}
