import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { account, listedAccount, toBalance } from "../../../shared/contract/account.ts";
import { cursorsOf, pageOf, TEXT } from "../../../shared/contract/cursor.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { settingChange, settingChangePage } from "../../../shared/contract/setting-change.ts";
import { credits, newAccountId, overdraft } from "../../../shared/contract/wire.ts";
import {
  decideSettings,
  type RequestedSettings,
} from "../../../shared/core/changes/change-settings.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { isThreshold } from "../../../shared/core/line/low-balance.ts";
import { isTimeZone } from "../../../shared/core/offer/months.ts";
import { isCurrency } from "../../../shared/core/text/money.ts";
import { listAccounts } from "../../../shared/ledger/books/list-accounts.ts";
import { readLotsOfDue } from "../../../shared/ledger/books/read-lots.ts";
import { listSettingChanges } from "../../../shared/ledger/books/setting-changes.ts";
import { createAccount } from "../../../shared/ledger/credits/create-account.ts";
import { setCustomerThreshold } from "../../../shared/ledger/payments/set-customer-threshold.ts";
import { nameOf } from "../access/caller.ts";
import { checkAccount } from "../access/check-access.ts";
import { badRequest, Problem, refuse } from "../problem.ts";
import { readAccountView } from "./account-view.ts";
import { makeChange } from "./make-change.ts";
import { READ, type RouteContext, readOfAccount, requestBody, route, WRITE } from "./route.ts";

const timeZone = z.string().max(64).refine(isTimeZone, "is not a time zone like Europe/Berlin");

const threshold = credits.refine(isThreshold, "is below zero");

const newAccount = requestBody("New account", {
  account_id: newAccountId,
  time_zone: timeZone.default("UTC"),
  currency: z.string().max(3).refine(isCurrency, "is not a currency of ISO 4217").default("USD"),
  threshold: threshold.optional(),
});

const settings = requestBody("Account update", {
  time_zone: timeZone.optional(),
  threshold: threshold.optional(),
  overdraft: overdraft.nullable().optional(),
});

const cursors = cursorsOf("accounts", [TEXT]);

export const accountRoutes = [
  route(
    {
      method: "GET",
      path: "/v1/accounts",
      access: "read",
      tag: "accounts",
      summary: "List accounts, ordered by id",
      query: page,
      response: { 200: listOf(listedAccount) },
    },
    async ({ query: { limit, cursor } }, { database, now }) => {
      const [after = ""] = cursors.read(cursor) ?? [];
      const accounts = await listAccounts(database, { after, limit: limit + 1 });
      const at = now();
      const lots = await readLotsOfDue(database, accounts, at);
      const shown = accounts.map((of) => toBalance(of, lots.get(of.accountId) ?? [], at));
      return pageOf(shown, limit, (last) => cursors.of(last.accountId));
    },
  ),
  route(
    {
      method: "POST",
      path: "/v1/accounts",
      access: "billing",
      byRestrictedKey: true,
      tag: "accounts",
      summary: "Create an account",
      description: "Creating it again with the same terms changes nothing and answers 200.",
      body: newAccount,
      response: { 200: account, 201: account },
    },
    async (request, context, reply) => {
      const { account_id, time_zone, currency, threshold = 0n } = request.body;
      checkAccount(request.caller, account_id);
      const terms = { accountId: account_id, timeZone: time_zone, currency, threshold };
      const by = nameOf(request);
      const outcome = await createAccount(context.database, terms, { now: context.now(), by });
      if (outcome.kind === "account_exists") throw refuse(outcome);
      if (outcome.kind === "created") void reply.status(201);
      return readAccountView(context, account_id);
    },
  ),
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id",
      tag: "accounts",
      summary: "Show an account and its settings",
      response: { 200: account },
    },
    ({ params }, context) => readAccountView(context, params.account_id),
  ),
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/settings/changes",
      tag: "accounts",
      summary:
        "Show the history of an account's settings: who changed what, and when; newest first",
      query: page,
      response: { 200: listOf(settingChange) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        settingChangePage(query, (range) => listSettingChanges(transaction, account_id, range)),
      ),
  ),
  route(
    {
      ...WRITE,
      method: "PATCH",
      path: "/v1/accounts/:account_id",
      byToken: true,
      tag: "accounts",
      summary: "Change an account's low-balance threshold, overdraft or time zone",
      description:
        "`overdraft` says how far below zero holds and allowances may go: `0`, an amount, `unlimited`, or null for the default. A new time zone applies to the months that follow. A dashboard token may change the threshold only, and not to one that a top-up within the ceilings could not reach.",
      body: settings,
      response: { 200: account },
    },
    async (request, context) => {
      const { account_id } = request.params;
      const { time_zone: timeZone, ...rest } = request.body;
      const asked = { timeZone, ...rest };
      if (Object.values(asked).every((value) => value === undefined)) {
        throw badRequest("body", "names nothing to set: time_zone, threshold or overdraft");
      }
      if (request.caller?.kind === "token") {
        await setByCustomer(context, request, { accountId: account_id, ...asked });
      } else {
        await makeChange(context, request, account_id, (change) => decideSettings(asked, change));
      }
      return readAccountView(context, account_id);
    },
  ),
];

async function setByCustomer(
  { database, now }: RouteContext,
  request: Pick<FastifyRequest, "caller">,
  asked: RequestedSettings & { readonly accountId: AccountId },
): Promise<void> {
  const { accountId, timeZone, overdraft, threshold } = asked;
  if (timeZone !== undefined || overdraft !== undefined || threshold === undefined) {
    const [name, field] =
      overdraft === undefined ? ["time zone", "time_zone"] : ["overdraft", "overdraft"];
    const detail = `a dashboard token cannot change the ${name}`;
    throw new Problem(403, "not_allowed", detail, { field });
  }
  const by = { accountId, now: now(), by: nameOf(request) };
  const outcome = await setCustomerThreshold(database, by, threshold);
  if (outcome.kind !== "changed") throw refuse(outcome);
}
