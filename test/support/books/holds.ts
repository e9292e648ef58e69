import { createHash } from "node:crypto";
import type { Dimensions } from "../../../shared/core/offer/value-tree.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import {
  changeHolds,
  type HoldAsked,
  type HoldOutcome,
} from "../../../shared/ledger/holds/change-holds.ts";
import type { Books } from "./books.ts";

export const TEN_MINUTES = 600_000;

/** A request for a hold of an account, for ten minutes. */
export function askedHold(
  account: string,
  holdId: string,
  credits: bigint,
  given: {
    readonly partial?: boolean;
    readonly ttlMs?: number;
    readonly dimensions?: Dimensions;
  } = {},
): HoldAsked {
  const request = createHash("sha256").update(String(credits)).digest("hex");
  return {
    ...{ kind: "hold", accountId: toAccountId(account), holdId, request, credits },
    ...{ partial: false, ttlMs: TEN_MINUTES, dimensions: null, by: "test", ...given },
  };
}

/** Changes one hold at an instant, by default now. */
export async function changeHold(
  { database }: Pick<Books, "database">,
  asked: HoldAsked,
  at = Date.now(),
): Promise<HoldOutcome> {
  const [outcome] = await changeHolds(database, [asked], at);
  if (outcome === undefined) throw new Error("no outcome");
  return outcome;
}
