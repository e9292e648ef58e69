import { z } from "zod";
import { allowance } from "../../../shared/contract/allowance.ts";
import { explainRefusal } from "../../../shared/contract/refusals.ts";
import { runway } from "../../../shared/contract/runway.ts";
import { count, credits, id, words } from "../../../shared/contract/wire.ts";
import {
  type BudgetLimit,
  leftOf,
  tightestOf,
  usedUp,
} from "../../../shared/core/budgets/limit.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import type { MicroCredits } from "../../../shared/core/line/credit-line.ts";
import type { Dimensions } from "../../../shared/core/offer/value-tree.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import { readLimits, type UsageOf } from "../../../shared/ledger/budgets/read-limits.ts";
import { readPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import { readShortage } from "../../../shared/ledger/payments/read-shortage.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { estimateRunway } from "../../../shared/ledger/usage/estimate-runway.ts";
import { costOf } from "./cost.ts";
import { dimensions } from "./estimate.ts";
import { HEAVY_READ, READ, type RouteContext, readOfAccount, route } from "./route.ts";

/** The dimensions of usage, in a query. */
const dimensionValues = z.codec(words(4_096), z.custom<Dimensions>(), {
  decode: (text, context) => {
    const read = dimensions.safeParse(parsedJson(text));
    if (read.success) return read.data;
    const message = `must be JSON of texts by name: ${read.error.issues[0]?.message ?? ""}`;
    context.issues.push({ code: "custom", message, input: text });
    return z.NEVER;
  },
  encode: (values) => JSON.stringify(values),
});

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const costs = z.strictObject({
  credits: credits.optional(),
  meter: id("meter").optional(),
  quantity: count.optional(),
  dimensions: dimensionValues.optional().meta({
    description:
      'Of the usage, as JSON: `{"model":"gpt-5"}`. Needed where the price of the meter depends on them, and for budgets of their values.',
  }),
});

export const outlookRoutes = [
  route(
    {
      ...HEAVY_READ,
      path: "/v1/accounts/:account_id/runway",
      tag: "accounts",
      summary: "Estimate how long the credits last at the pace of the last 7 days",
      response: { 200: runway },
    },
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, (transaction, details) =>
        estimateRunway(transaction, details, context.now()),
      ),
  ),
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/allowance",
      tag: "accounts",
      summary: "Check whether an account can afford work of an estimated cost",
      description:
        "Give `credits`, or a `meter` and a `quantity`, and the `dimensions` of the usage. What the account has available and the budgets of these values must all cover the cost: the tightest answers. Nothing is reserved, and usage is metered whatever the answer.",
      query: costs,
      response: { 200: allowance },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, async (transaction, { account }) => {
        const cost = await costOf(context, transaction, account_id, query);
        const at = context.now();
        const balance = availableAt(account, await readLotsIfDue(transaction, account, at), at);
        const { held } = account;
        const available = balance - held;
        const detail = `it costs about ${formatCredits(cost)} credits of ${formatCredits(available)}`;
        const overdraft = account.overdraft ?? context.defaultOverdraft;
        const limit = await readLimit(transaction, account, query.dimensions, at);
        const answer = {
          ...{ accountId: account_id, cost, balance, held, available, overdraft },
          ...{ budget: limit && { ...limit, left: leftOf(limit) } },
          ...{ allowed: true, detail, shortage: null },
        };
        const most = available + (overdraft ?? 0n);
        const refused = refusedBy(limit, cost, most);
        if (refused !== null) {
          const reason = "budget_used_up" as const;
          return { ...answer, allowed: false, reason, detail: refused };
        }
        if (covers(available, cost)) return { ...answer, reason: "enough" as const };
        if (overdraft !== null && covers(most, cost)) {
          return { ...answer, reason: "within_overdraft" as const };
        }
        const trusted = overdraft === null && available > 0n && leaves(limit, cost);
        if (trusted && (await willBeToppedUp(context, transaction, account_id))) {
          const reason = "will_be_topped_up" as const;
          return { ...answer, reason, detail: `${detail}; auto top-up is on` };
        }
        const shortage = await readShortage(transaction, account_id, at);
        return { ...answer, allowed: false, reason: "not_enough" as const, shortage };
      }),
  ),
];

/** The tightest budget of usage to come; null: none limits it. */
async function readLimit(
  transaction: Transaction,
  account: UsageOf["account"],
  dimensions: Dimensions | undefined,
  now: Instant,
): Promise<BudgetLimit | null> {
  if (dimensions === undefined) return null;
  const usage = { account, dimensions: [dimensions] };
  const limits = await readLimits(transaction, [usage], now, now);
  return tightestOf(limits.get(account.accountId) ?? [], dimensions);
}

/** Whether a budget leaves what usage costs. */
function leaves(limit: BudgetLimit | null, cost: MicroCredits): boolean {
  return limit === null || covers(leftOf(limit), cost);
}

function covers(credits: MicroCredits, cost: MicroCredits): boolean {
  return credits >= cost && credits > 0n;
}

/** Why a budget refuses usage; null: it leaves what that costs, or the account itself has no more. */
function refusedBy(limit: BudgetLimit | null, cost: MicroCredits, most: MicroCredits) {
  if (limit === null || leaves(limit, cost) || leftOf(limit) >= most) return null;
  return explainRefusal(usedUp(limit, cost)).sentence;
}

async function willBeToppedUp(
  { now }: RouteContext,
  transaction: Transaction,
  accountId: AccountId,
): Promise<boolean> {
  const auto = await readAutoTopUp(transaction, accountId);
  const isPaused = (auto.pausedUntil ?? 0) > now();
  if (!auto.enabled || auto.stopped !== null || isPaused) return false;
  return (await readPaymentMethod(transaction, accountId)) !== null;
}
