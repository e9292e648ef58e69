import { z } from "zod";
import {
  apiKeys,
  MAX_KEY_ACCOUNTS,
  MAX_KEY_NAME_LENGTH,
  newApiKey,
  newKeyProblem,
  scope,
} from "../../../shared/contract/api-key.ts";
import {
  dashboardPath,
  dashboardToken,
  listedToken,
  TOKEN_MINUTES,
  tokenPage,
} from "../../../shared/contract/dashboard-token.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { accountId, instant, words } from "../../../shared/contract/wire.ts";
import { listApiKeys, revokeApiKey } from "../../../shared/ledger/access/api-keys.ts";
import {
  listDashboardTokens,
  revokeDashboardToken,
} from "../../../shared/ledger/access/dashboard-tokens.ts";
import { makeApiKey, makeDashboardToken } from "../../../shared/ledger/access/make-access.ts";
import { nameOf } from "../access/caller.ts";
import { badRequest, Problem, refuse, unknownAccount } from "../problem.ts";
import { readOfAccount, requestBody, route, WRITE } from "./route.ts";

const newKey = requestBody("New API key", {
  name: words(MAX_KEY_NAME_LENGTH).min(1),
  scopes: z.array(scope).min(1).max(scope.options.length),
  expires_at: instant.nullable().optional().meta({
    description: "When it stops working. null or left out: it does not expire.",
  }),
  account_ids: z.array(accountId).min(1).max(MAX_KEY_ACCOUNTS).optional().meta({
    description: "The only accounts that it opens. Left out: all of them.",
  }),
});

const newToken = requestBody("New dashboard token", {
  minutes: z.number().int().min(1).max(TOKEN_MINUTES.most).default(TOKEN_MINUTES.usual),
  read_only: z.boolean().default(false).meta({
    description: "true: the dashboard shows the account and changes nothing.",
  }),
});
const MINUTE_MS = 60_000;
const TOKENS = {
  ...WRITE,
  path: "/v1/accounts/:account_id/dashboard-tokens",
  access: ["dashboard", "billing"],
} as const;

export const keyRoutes = [
  route(
    {
      method: "GET",
      path: "/v1/keys",
      access: "admin",
      tag: "keys",
      summary: "List API keys, without their secrets",
      response: { 200: apiKeys },
    },
    async (_, { database }) => ({ items: await listApiKeys(database) }),
  ),
  route(
    {
      method: "POST",
      path: "/v1/keys",
      access: "admin",
      showsSecret: true,
      tag: "keys",
      summary: "Create an API key",
      body: newKey,
      response: { 201: newApiKey },
    },
    async (request, { database, now }) => {
      const { name, scopes, expires_at: expiresAt, account_ids: accountIds } = request.body;
      const by = { createdBy: nameOf(request), now: now() };
      const key = { name, scopes, expiresAt: expiresAt ?? null, accountIds: accountIds ?? null };
      const problem = newKeyProblem(key, by.now);
      if (problem !== null) throw badRequest(problem.field, problem.what);
      const { keyId, text } = await makeApiKey(database, { ...key, ...by });
      return { keyId, key: text };
    },
  ),
  route(
    {
      method: "DELETE",
      path: "/v1/keys/:key_id",
      access: "admin",
      tag: "keys",
      summary: "Revoke an API key and the dashboard tokens created with it",
      params: z.object({ key_id: z.string().regex(/^[0-9a-f]{16}$/) }),
      response: { 204: z.undefined() },
    },
    async (request, { database, now }, reply) => {
      const { key_id } = request.params;
      const by = { now: now(), by: nameOf(request) };
      if (await revokeApiKey(database, key_id, by)) return reply.send();
      throw refuse({ kind: "unknown_key", keyId: key_id });
    },
  ),
  route(
    {
      ...TOKENS,
      method: "POST",
      showsSecret: true,
      tag: "keys",
      summary: "Create a short-lived token for one account's dashboard",
      body: newToken,
      response: { 201: dashboardToken },
    },
    async ({ caller, params, body }, { database, now }) => {
      if (caller?.kind !== "key")
        throw new Problem(403, "not_allowed", "a dashboard token cannot create another token");
      const { keyId } = caller;
      const accountId = params.account_id;
      const { minutes, read_only: readOnly } = body;
      const lease = { accountId, keyId, forMs: minutes * MINUTE_MS, readOnly, now: now() };
      const token = await makeDashboardToken(database, lease);
      if (token === null) throw unknownAccount(accountId);
      const { text, expiresAt } = token;
      return { accountId, token: text, expiresAt, readOnly, dashboard: dashboardPath(text) };
    },
  ),
  route(
    {
      ...TOKENS,
      method: "GET",
      tag: "keys",
      summary: "List the dashboard tokens that open an account now, without their secrets",
      query: page,
      response: { 200: listOf(listedToken) },
    },
    ({ params: { account_id: accountId }, query }, context) =>
      readOfAccount(context, accountId, (transaction) =>
        tokenPage(query, (limit) =>
          listDashboardTokens(transaction, { accountId, now: context.now(), limit }),
        ),
      ),
  ),
  route(
    {
      method: "DELETE",
      path: "/v1/accounts/:account_id/dashboard-tokens/:token_id",
      access: TOKENS.access,
      tag: "keys",
      summary: "Revoke one dashboard token",
      params: z.object({ account_id: accountId, token_id: z.string().regex(/^[0-9a-f]{16}$/) }),
      response: { 204: z.undefined() },
    },
    async (request, context, reply) => {
      const { account_id, token_id: tokenId } = request.params;
      const token = { accountId: account_id, tokenId };
      const by = { now: context.now(), by: nameOf(request) };
      if (await revokeDashboardToken(context.database, token, by)) return reply.send();
      return readOfAccount(context, account_id, () => {
        throw refuse({ kind: "unknown_token", tokenId });
      });
    },
  ),
];
