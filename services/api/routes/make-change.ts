import type { FastifyRequest } from "fastify";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import type { Change, Refusal } from "../../../shared/words/change.ts";
import { nameOf } from "../access/authenticate.ts";
import { refused, unknownAccount } from "../problem.ts";
import type { RouteParts } from "./parts.ts";

/** Makes one change of an account, told in its history as the caller's. Throws a problem where core refuses it. */
export async function makeChange(
  { database, now }: RouteParts,
  request: FastifyRequest,
  accountId: AccountId,
  change: Change,
): Promise<void> {
  const asked = { accountId, by: nameOf(request), now: now() };
  const outcome = await changeSubscription<Refusal>(database, asked, change);
  if (outcome.kind === "unknown_account") throw unknownAccount(accountId);
  if (outcome.kind === "refused") throw refused("refused", outcome.sentence);
}
