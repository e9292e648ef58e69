import { z } from "zod";
import {
  apiKeys,
  MAX_KEY_NAME_LENGTH,
  newApiKey,
  scope,
} from "../../../shared/contract/api-key.ts";
import {
  dashboardPath,
  dashboardToken,
  TOKEN_MINUTES,
} from "../../../shared/contract/dashboard-token.ts";
import { words } from "../../../shared/contract/wire.ts";
import { listApiKeys, revokeApiKey } from "../../../shared/ledger/access/api-keys.ts";
import { makeApiKey, makeDashboardToken } from "../../../shared/ledger/access/make-access.ts";
import { nameOf } from "../access/authenticate.ts";
import { Problem, refuse, unknownAccount } from "../problem.ts";
import { route, WRITE } from "./route.ts";

const newKey = z.strictObject({
  name: words(MAX_KEY_NAME_LENGTH).min(1),
  scopes: z.array(scope).min(1).max(scope.options.length),
});

const newToken = z.strictObject({
  minutes: z.number().int().min(1).max(TOKEN_MINUTES.most).default(TOKEN_MINUTES.usual),
  read_only: z.boolean().default(false).meta({
    description: "true: the dashboard shows the account and changes nothing.",
  }),
});
const MINUTE_MS = 60_000;

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
      const by = { createdBy: nameOf(request), now: now() };
      const { keyId, text } = await makeApiKey(database, { ...request.body, ...by });
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
    async ({ params: { key_id } }, { database, now }, reply) => {
      if (await revokeApiKey(database, key_id, now())) return reply.send();
      throw refuse({ kind: "unknown_key", keyId: key_id });
    },
  ),
  route(
    {
      ...WRITE,
      method: "POST",
      path: "/v1/accounts/:account_id/dashboard-tokens",
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
];
