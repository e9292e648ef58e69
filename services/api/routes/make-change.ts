import type { FastifyRequest } from "fastify";
import type { Change } from "../../../shared/core/changes/subscription-change.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { nameOf } from "../access/authenticate.ts";
import { refuse } from "../problem.ts";
import type { RouteParts } from "./parts.ts";

/** Makes one change of an account, told in its history as the caller's. Throws a problem where core refuses it. */
export async function makeChange(
  { database, now }: RouteParts,
  request: FastifyRequest,
  accountId: AccountId,
  change: Change,
): Promise<void> {
  const asked = { accountId, by: nameOf(request), now: now() };
  const outcome = await changeSubscription(database, asked, change);
  if (outcome.kind !== "changed") throw refuse(outcome);
}
