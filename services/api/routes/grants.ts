import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { granted } from "../../../shared/contract/grant.ts";
import { credits, id, instant, words } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import type { Grant } from "../../../shared/core/month/grant-credits.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { takeCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { refuse, unknownAccount } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, typed } from "./parts.ts";

const reference = words(1_024).default("");

const granting = z.strictObject({
  credits,
  source: z.enum(["promotion", "adjustment", "top_up"]).default("promotion"),
  lot_id: id("lot_id").optional().meta({
    description:
      "The lot's identity: granted again, it adds nothing. Default: the Idempotency-Key.",
  }),
  reference,
  expires_at: instant.nullable().optional().meta({
    description: "null: never. Left out: two months from now.",
  }),
});

const adjusting = z.strictObject({
  credits: credits.meta({ description: "Above 0: given; below: taken, and may leave a debt." }),
  reference: words(1_024).min(1).meta({
    description: "Why, for the books. What is taken is taken once for each reference.",
  }),
});

const keyHeader = z.object({ "idempotency-key": z.string().max(200).optional() });

export function grantRoutes(app: FastifyInstance, parts: RouteParts): void {
  const tags = ["credits"];
  const newId = eventIds();
  const shown = { 201: granted, ...REFUSALS };

  typed(app).post(
    "/v1/accounts/:account_id/grants",
    {
      config: { access: "billing" },
      schema: {
        summary: "Add credits to an account as one lot",
        tags,
        params: accountPath,
        headers: keyHeader,
        body: granting,
        response: shown,
      },
    },
    async (request, reply) => {
      const { lot_id, source, expires_at, credits: asked, reference: why } = request.body;
      const lotId = lot_id ?? idFor(request);
      const end = endOf(expires_at);
      const grant = { lotId, credits: asked, source, reference: why, end };
      return reply.status(201).send(await give(request.params.account_id, grant));
    },
  );

  typed(app).post(
    "/v1/accounts/:account_id/adjustments",
    {
      config: { access: "billing" },
      schema: {
        summary: "Correct a balance: an entry of its own, never a change of history",
        tags,
        params: accountPath,
        headers: keyHeader,
        body: adjusting,
        response: shown,
      },
    },
    async (request, reply) => {
      const { credits: asked, reference: why } = request.body;
      const { account_id } = request.params;
      if (asked > 0n) {
        const end = { kind: "never" } as const;
        const lotId = idFor(request);
        const grant = { lotId, credits: asked, source: "adjustment", reference: why, end } as const;
        return reply.status(201).send(await give(account_id, grant));
      }
      return reply.status(201).send(await take(account_id, { credits: -asked, reference: why }));
    },
  );

  /** The Idempotency-Key, so that asking again after a lost answer grants nothing twice. */
  function idFor({ headers }: FastifyRequest): string {
    const key = headers["idempotency-key"];
    return typeof key === "string" ? `api:${key}` : newId(parts.now());
  }

  async function give(account: AccountId, grant: Grant) {
    const outcome = await grantCredits(parts.database, account, grant, parts.now());
    switch (outcome.kind) {
      case "granted":
      case "already_exists":
        return answer(account, outcome.lot.lotId, outcome.lot.credits);
      default:
        throw refuse(outcome, "credits");
    }
  }

  async function take(
    account: AccountId,
    deduction: { readonly credits: bigint; readonly reference: string },
  ) {
    const at = { accountId: account, now: parts.now() };
    const outcome = await takeCredits(parts.database, at, deduction);
    switch (outcome.kind) {
      case "deducted":
      case "already_exists":
        return answer(account, null, -deduction.credits);
      default:
        throw refuse(outcome, "credits");
    }
  }

  async function answer(account: AccountId, lotId: string | null, moved: bigint) {
    const details = await readAccountDetails(parts.database, account);
    if (details === null) throw unknownAccount(account);
    const balance = balanceOf(details.account);
    return { accountId: account, lotId, credits: moved, balance };
  }
}

function endOf(expiresAt: number | null | undefined): Grant["end"] {
  if (expiresAt === undefined) return { kind: "usual" };
  return expiresAt === null ? { kind: "never" } : { kind: "at", at: expiresAt };
}
