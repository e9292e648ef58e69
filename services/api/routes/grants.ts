import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { granted } from "../../../shared/contract/grant.ts";
import { credits, instant, pathId, words } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import type { Grant } from "../../../shared/core/month/grant-credits.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import type { RequestedBy } from "../../../shared/ledger/books/move-account.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import { adjustCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { nameOf } from "../access/caller.ts";
import { keyHeader } from "../idempotency.ts";
import { refuse, unknownAccount } from "../problem.ts";
import { type RouteContext, requestBody, route, WRITE } from "./route.ts";

const newGrant = requestBody("New grant", {
  credits,
  source: z.enum(["promotion", "adjustment", "top_up"]).default("promotion"),
  lot_id: pathId("lot_id").optional().meta({
    description:
      "Identifies the lot: granting it again adds nothing. Default: the Idempotency-Key.",
  }),
  reference: words(1_024).default("").meta({ description: "Why; the customer sees it." }),
  expires_at: instant.nullable().optional().meta({
    description: "null: never. Default: two months from now.",
  }),
});

const newAdjustment = requestBody("New adjustment", {
  credits: credits.meta({
    description: "Above 0 adds credits; below 0 deducts them, and may leave a debt.",
  }),
  reference: words(1_024).min(1).meta({
    description:
      "The reason; the customer sees it. It identifies the adjustment, up or down: the same again changes nothing, and another amount under it is refused.",
  }),
});

const newId = eventIds();

export const grantRoutes = [
  route(
    {
      ...WRITE,
      method: "POST",
      path: "/v1/accounts/:account_id/grants",
      tag: "credits",
      summary: "Grant credits to an account as one lot",
      description: "Granting the same lot again changes nothing and answers 200.",
      headers: keyHeader,
      body: newGrant,
      response: { 200: granted, 201: granted },
    },
    async (request, context, reply) => {
      const { headers, body } = request;
      const { accountId, now, by } = requestedBy(request, context);
      const lot: Grant = {
        lotId: body.lot_id ?? lotIdFor(headers, context),
        credits: body.credits,
        source: body.source,
        reference: body.reference,
        end: endOf(body.expires_at),
      };
      const outcome = await grantCredits(context.database, accountId, lot, now, by);
      if (outcome.kind !== "granted" && outcome.kind !== "already_exists") {
        throw refuse(outcome, "credits");
      }
      if (outcome.kind === "granted") void reply.status(201);
      return answer(context, accountId, outcome.lot.lotId, outcome.lot.credits);
    },
  ),
  route(
    {
      ...WRITE,
      method: "POST",
      path: "/v1/accounts/:account_id/adjustments",
      tag: "credits",
      summary: "Correct a balance by posting an adjustment",
      description: "The same adjustment under its reference again changes nothing and answers 200.",
      headers: keyHeader,
      body: newAdjustment,
      response: { 200: granted, 201: granted },
    },
    async (request, context, reply) => {
      const at = requestedBy(request, context);
      const lotId = lotIdFor(request.headers, context);
      const outcome = await adjustCredits(context.database, at, { ...request.body, lotId });
      switch (outcome.kind) {
        case "granted":
        case "deducted": {
          void reply.status(201);
          const { lotId: posted, credits } = outcome.entry;
          return answer(context, at.accountId, posted, credits);
        }
        case "already_exists": {
          const posted = "lot" in outcome ? outcome.lot : outcome;
          return answer(context, at.accountId, posted.lotId, posted.credits);
        }
        default:
          throw refuse(outcome, "credits");
      }
    },
  ),
];

/** Made of the Idempotency-Key, so that a request repeated after a lost answer grants nothing twice. */
function lotIdFor(headers: z.output<typeof keyHeader>, { now }: RouteContext): string {
  const key = headers["idempotency-key"];
  return key === undefined ? newId(now()) : `api:${key}`;
}

function endOf(expiresAt: number | null | undefined): Grant["end"] {
  if (expiresAt === undefined) return { kind: "usual" };
  return expiresAt === null ? { kind: "never" } : { kind: "at", at: expiresAt };
}

function requestedBy(
  request: Pick<FastifyRequest, "caller"> & { readonly params: { readonly account_id: AccountId } },
  { now }: RouteContext,
): RequestedBy {
  return { accountId: request.params.account_id, now: now(), by: nameOf(request) };
}

async function answer(
  { database, now }: RouteContext,
  accountId: AccountId,
  lotId: string | null,
  credits: bigint,
) {
  const details = await readAccountDetails(database, accountId);
  if (details === null) throw unknownAccount(accountId);
  const { account } = details;
  const at = now();
  const lots = await readLotsIfDue(database, account, at);
  return { accountId, lotId, credits, balance: availableAt(account, lots, at) };
}
