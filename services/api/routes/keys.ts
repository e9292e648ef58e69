import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { apiKeys, newApiKey, scope } from "../../../shared/contract/api-key.ts";
import { dashboardPath, dashboardToken } from "../../../shared/contract/dashboard-token.ts";
import { words } from "../../../shared/contract/wire.ts";
import { listApiKeys, revokeApiKey } from "../../../shared/ledger/access/api-keys.ts";
import { makeApiKey, makeDashboardToken } from "../../../shared/ledger/access/make-access.ts";
import { nameOf } from "../access/authenticate.ts";
import { Problem, refuse, unknownAccount } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, typed } from "./parts.ts";

const making = z.strictObject({
  name: words(200).min(1),
  scopes: z.array(scope).min(1).max(scope.options.length),
});

const lending = z.strictObject({
  minutes: z
    .number()
    .int()
    .min(1)
    .max(24 * 60)
    .default(60),
});
const MINUTE_MS = 60_000;

export function keyRoutes(app: FastifyInstance, { database, now }: RouteParts): void {
  const tags = ["keys"];
  const path = z.object({ key_id: z.string().regex(/^[0-9a-f]{16}$/) });

  typed(app).get(
    "/v1/keys",
    {
      config: { access: "admin" },
      schema: {
        summary: "List API keys, without their secrets",
        tags,
        response: { 200: apiKeys, ...REFUSALS },
      },
    },
    async () => ({ items: await listApiKeys(database) }),
  );

  typed(app).post(
    "/v1/keys",
    {
      config: { access: "admin", showsSecret: true },
      schema: {
        summary: "Make an API key",
        tags,
        body: making,
        response: { 201: newApiKey, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const asked = { ...request.body, createdBy: nameOf(request), now: now() };
      const { keyId, text } = await makeApiKey(database, asked);
      return reply.status(201).send({ keyId, key: text });
    },
  );

  typed(app).delete(
    "/v1/keys/:key_id",
    {
      config: { access: "admin" },
      schema: {
        summary: "Revoke an API key, with the dashboard tokens made with it",
        tags,
        params: path,
        response: { 204: z.undefined(), ...REFUSALS },
      },
    },
    async ({ params: { key_id } }, reply) => {
      if (await revokeApiKey(database, key_id, now())) return reply.status(204).send();
      throw refuse({ kind: "unknown_key", keyId: key_id });
    },
  );

  typed(app).post(
    "/v1/accounts/:account_id/dashboard-tokens",
    {
      config: { access: "billing", showsSecret: true },
      schema: {
        summary: "Make a short-lived token that opens one account's dashboard",
        tags,
        params: accountPath,
        body: lending,
        response: { 201: dashboardToken, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { account_id } = request.params;
      const { caller } = request;
      if (caller?.kind !== "key")
        throw new Problem(403, "not_allowed", "a dashboard token cannot make another one");
      const { keyId } = caller;
      const forMs = request.body.minutes * MINUTE_MS;
      const lease = { accountId: account_id, keyId, forMs, now: now() };
      const token = await makeDashboardToken(database, lease);
      if (token === null) throw unknownAccount(account_id);
      const { text, expiresAt } = token;
      const dashboard = dashboardPath(text);
      const shown = { accountId: account_id, token: text, expiresAt, dashboard };
      return reply.status(201).send(shown);
    },
  );
}
