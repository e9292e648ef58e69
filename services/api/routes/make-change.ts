import type { FastifyRequest } from "fastify";
import type { Change } from "../../../shared/core/changes/paying-fees.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { nameOf } from "../access/caller.ts";
import { refuse } from "../problem.ts";
import type { RouteContext } from "./route.ts";

/** Changes an account and records the caller in its history. Throws a Problem if core refuses. */
export async function makeChange(
  { database, now, attemptsPerHour }: RouteContext,
  request: Pick<FastifyRequest, "caller">,
  accountId: AccountId,
  change: Change,
): Promise<void> {
  const by = { accountId, by: nameOf(request), now: now() };
  const outcome = await changeSubscription(database, by, change, attemptsPerHour);
  if (outcome.kind !== "changed") throw refuse(outcome);
}
