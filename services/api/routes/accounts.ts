import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { account, listedAccount, toBalance } from "../../../shared/contract/account.ts";
import { cursorsOf, pageOf, TEXT } from "../../../shared/contract/cursor.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { accountId, credits } from "../../../shared/contract/wire.ts";
import { decideSettings } from "../../../shared/core/changes/change-settings.ts";
import { isTimeZone } from "../../../shared/core/offer/months.ts";
import { isCurrency } from "../../../shared/core/text/money.ts";
import { listAccounts } from "../../../shared/ledger/books/list-accounts.ts";
import { createAccount } from "../../../shared/ledger/credits/create-account.ts";
import { nameOf } from "../access/authenticate.ts";
import { badRequest, Problem, refuse } from "../problem.ts";
import { readAccountView } from "./account-view.ts";
import { makeChange } from "./make-change.ts";
import { accountPath, REFUSALS, type RouteParts, typed } from "./parts.ts";

// An offset ("+02:00") or a whole instant would pass as a time zone elsewhere.
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

const timeZone = z
  .string()
  .max(64)
  .refine(
    (name) => ZONE_NAME.test(name) && isTimeZone(name),
    "is not a time zone like Europe/Berlin",
  );

const newAccount = z.strictObject({
  account_id: accountId,
  time_zone: timeZone.default("UTC"),
  currency: z.string().max(3).refine(isCurrency, "is not a currency of ISO 4217").default("USD"),
  threshold: credits.optional(),
});

const settings = z.strictObject({ time_zone: timeZone.optional(), threshold: credits.optional() });

const cursors = cursorsOf("accounts", [TEXT]);

export function accountRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { database, now } = parts;
  const tags = ["accounts"];

  typed(app).get(
    "/v1/accounts",
    {
      config: { access: "read" },
      schema: {
        summary: "List accounts, in the order of their ids",
        tags,
        querystring: page,
        response: { 200: listOf(listedAccount), ...REFUSALS },
      },
    },
    async ({ query: { limit, cursor } }) => {
      const [after = ""] = cursors.read(cursor) ?? [];
      const accounts = await listAccounts(database, { after, limit: limit + 1 });
      return pageOf(accounts.map(toBalance), limit, (last) => cursors.of(last.accountId));
    },
  );

  typed(app).post(
    "/v1/accounts",
    {
      config: { access: "billing" },
      schema: {
        summary: "Create an account",
        description: "The same again changes nothing.",
        tags,
        body: newAccount,
        response: { 200: account, 201: account, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { account_id, time_zone, currency, threshold = 0n } = request.body;
      const asked = { accountId: account_id, timeZone: time_zone, currency, threshold };
      const outcome = await createAccount(database, asked, {
        now: now(),
        by: nameOf(request),
      });
      if (outcome.kind === "account_exists") throw refuse(outcome);
      void reply.status(outcome.kind === "created" ? 201 : 200);
      return readAccountView(parts, account_id);
    },
  );

  typed(app).get(
    "/v1/accounts/:account_id",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "Show an account with all that is set of it",
        tags,
        params: accountPath,
        response: { 200: account, ...REFUSALS },
      },
    },
    ({ params }) => readAccountView(parts, params.account_id),
  );

  typed(app).patch(
    "/v1/accounts/:account_id",
    {
      config: { access: "billing", byToken: true },
      schema: {
        summary: "Change what counts as a low balance, or whose calendar the next months follow",
        description: "A dashboard token may change the threshold.",
        tags,
        params: accountPath,
        body: settings,
        response: { 200: account, ...REFUSALS },
      },
    },
    async (request) => {
      const { account_id } = request.params;
      const { time_zone: timeZone, threshold } = request.body;
      if (timeZone === undefined && threshold === undefined) {
        throw badRequest("body", "names nothing to set: time_zone, threshold or both");
      }
      if (request.caller?.kind === "token" && timeZone !== undefined) {
        throw new Problem(403, "not_allowed", "a dashboard token cannot change the time zone", {
          field: "time_zone",
        });
      }
      await makeChange(parts, request, account_id, (context) =>
        decideSettings({ timeZone, threshold }, context),
      );
      return readAccountView(parts, account_id);
    },
  );
}
