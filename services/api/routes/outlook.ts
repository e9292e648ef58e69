import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { allowance } from "../../../shared/contract/allowance.ts";
import { runway } from "../../../shared/contract/runway.ts";
import { count, credits, id } from "../../../shared/contract/wire.ts";
import { runwayOf } from "../../../shared/core/history/runway.ts";
import { balanceOf, type MicroCredits } from "../../../shared/core/line/credit-line.ts";
import { price, rateAt } from "../../../shared/core/offer/rate-card.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { readLiveLots } from "../../../shared/ledger/books/read-lots.ts";
import { rateCardReader } from "../../../shared/ledger/catalogue/rates.ts";
import { readPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { spendByMeter } from "../../../shared/ledger/usage/list.ts";
import { badRequest, refuse } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const PACE_DAYS = 7;

const costs = z.strictObject({
  credits: credits.optional(),
  meter: id("meter").optional(),
  quantity: count.optional(),
});

/** What is likely to come: how long credits last, and whether something can be afforded. */
export function outlookRoutes(app: FastifyInstance, parts: RouteParts): void {
  const rateCard = rateCardReader();

  typed(app).get(
    "/v1/accounts/:account_id/runway",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "How long the credits last at the pace of the last 7 days",
        tags: ["accounts"],
        params: accountPath,
        response: { 200: runway, ...REFUSALS },
      },
    },
    ({ params: { account_id } }) =>
      readOfAccount(parts, account_id, async (transaction, { account, createdAt }) => {
        const now = parts.now();
        const from = Math.min(Math.max(now - PACE_DAYS * DAY_MS, createdAt), now - DAY_MS);
        const asked = { from, to: now, step: null, timeZone: account.timeZone };
        const spent = await spendByMeter(transaction, account_id, asked);
        const used = spent.reduce((sum, total) => sum + total.credits, 0n);
        const pace = { credits: used, perMs: now - from };
        const lots = (await readLiveLots(transaction, [account_id])).get(account_id) ?? [];
        const outlook = runwayOf(lots, { position: account.position, now }, pace);
        return {
          balance: balanceOf(account),
          pacePerDay: (used * BigInt(DAY_MS)) / BigInt(now - from),
          paceFrom: from,
          paceTo: now,
          ...outlook,
        };
      }),
  );

  typed(app).get(
    "/v1/accounts/:account_id/allowance",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "May the account start something that costs about so much?",
        description:
          "Name `credits`, or a `meter` and a `quantity` of it. Nothing is reserved: usage is always metered.",
        tags: ["accounts"],
        params: accountPath,
        querystring: costs,
        response: { 200: allowance, ...REFUSALS },
      },
    },
    ({ params: { account_id }, query }) =>
      readOfAccount(parts, account_id, async (transaction, { account }) => {
        const cost = await costOf(transaction, query);
        const balance = balanceOf(account);
        const told = { accountId: account_id, cost, balance };
        if (balance >= cost && balance > 0n) {
          return {
            ...told,
            allowed: true,
            reason: "enough" as const,
            detail: leaves(balance, cost),
          };
        }
        const auto = await readAutoTopUp(transaction, account_id);
        const method = await readPaymentMethod(transaction, account_id);
        const isPaused = (auto.pausedUntil ?? 0) > parts.now();
        const isOn = auto.enabled && auto.stopped === null && !isPaused && method !== null;
        return isOn && balance > 0n
          ? {
              ...told,
              allowed: true,
              reason: "will_be_topped_up" as const,
              detail: `${leaves(balance, cost)}; auto top-up is on`,
            }
          : {
              ...told,
              allowed: false,
              reason: "not_enough" as const,
              detail: leaves(balance, cost),
            };
      }),
  );

  async function costOf(
    transaction: Transaction,
    query: z.output<typeof costs>,
  ): Promise<MicroCredits> {
    const { credits: cost, meter, quantity } = query;
    if (cost !== undefined && meter === undefined && quantity === undefined) {
      if (cost < 0n) throw badRequest("credits", "is below zero");
      return cost;
    }
    if (cost !== undefined || meter === undefined || quantity === undefined || quantity < 0n) {
      throw badRequest("credits", "or both of meter and quantity (at least 0) must be named");
    }
    const rate = rateAt(await rateCard(transaction), meter, parts.now());
    if (typeof rate === "string") throw refuse({ kind: rate, meter });
    return price(rate, quantity);
  }
}

function leaves(balance: MicroCredits, cost: MicroCredits): string {
  return `it costs about ${formatCredits(cost)} credits of ${formatCredits(balance)}`;
}
