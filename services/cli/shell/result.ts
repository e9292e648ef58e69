import { z } from "zod";
import { explainRefusal } from "../../../shared/contract/refusals.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Refusal, RefusalKind } from "../../../shared/core/line/refusal.ts";
import { printable } from "./print.ts";

/** What a command shows at its end. Outages and wrong usage are thrown instead. */
export type Result =
  | {
      readonly kind: "shown";
      readonly data: () => unknown;
      readonly text: string;
      /** One sentence when something is wrong with what is shown; the exit code is then 1. */
      readonly failure: string | null;
    }
  /** The command has written its result to standard output itself. */
  | { readonly kind: "written"; readonly failure: string | null }
  /** Nothing was done: one sentence why, and the refusal's code if it has one. */
  | { readonly kind: "refused"; readonly sentence: string; readonly code: RefusalKind | null };

/** `value` is what `--json` shows, in the shape of the noun. */
export function shown<Noun extends z.ZodType>(
  noun: Noun,
  value: z.output<Noun>,
  text: string,
  failure: string | null = null,
): Result {
  return { kind: "shown", data: () => z.encode(noun, value), text, failure };
}

/** A refusal of the core or the ledger, with more about it, or a sentence of the command itself. */
export function refused(refusal: Refusal | string, more: string | null = null): Result {
  if (typeof refusal === "string") {
    return { kind: "refused", sentence: printable(refusal), code: null };
  }
  const { sentence, hint } = explainRefusal(refusal);
  const said = more === null ? sentence : `${sentence}; ${more}`;
  const text = hint === undefined ? said : `${said} (${hint})`;
  return { kind: "refused", sentence: printable(text), code: refusal.kind };
}

export function noAccount(accountId: AccountId): Result {
  return refused({ kind: "unknown_account", accountId });
}

/** The arguments or options are wrong: exit code 2. */
export class WrongUsage extends Error {}

/** A server cannot be reached or used; the message names it and its address. Exit code 1. */
export class PartUnavailable extends Error {}
