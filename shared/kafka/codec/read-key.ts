import type { AccountId } from "../../core/line/account.ts";
import { idProblem, toAccountId } from "../../core/text/text.ts";

/** Why a record names no account. */
export interface NoAccount {
  readonly reason: "no_key" | "no_account_id";
  readonly detail: string;
}

/** The account that a record's key names. */
export function readKey(key: Buffer | null): AccountId | NoAccount {
  if (key === null) return { reason: "no_key", detail: "it has no key" };
  const text = key.toString();
  const problem = idProblem("account id", text);
  return problem === null
    ? toAccountId(text)
    : { reason: "no_account_id", detail: `its key is not an account id: ${problem}` };
}
