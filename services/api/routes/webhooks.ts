import { z } from "zod";
import { listOf, page } from "../../../shared/contract/page.ts";
import {
  delivery,
  deliveryPage,
  eventType,
  newSecret,
  newWebhook,
  webhook,
  webhooks,
} from "../../../shared/contract/webhook.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  MOST_ENDPOINTS,
  pauseEndpoint,
  readEndpoint,
  resumeEndpoint,
  rotateSecret,
} from "../../../shared/ledger/webhooks/endpoints.ts";
import {
  listDeliveries,
  readDelivery,
  sendAgain,
} from "../../../shared/ledger/webhooks/list-deliveries.ts";
import { MOST_URL_LENGTH, urlProblem } from "../../../shared/webhooks/check-url.ts";
import { nameOf } from "../access/caller.ts";
import { refuse } from "../problem.ts";
import { type RouteContext, requestBody, route } from "./route.ts";

/** The settings by which webhook endpoints are made. */
export interface WebhookContext extends RouteContext {
  readonly webhooks: { readonly allowPrivate: boolean };
}

const newEndpoint = requestBody("New webhook endpoint", {
  url: z.string().min(1).max(MOST_URL_LENGTH).meta({ example: "https://example.com/drawdown" }),
  types: z
    .array(eventType)
    .min(1)
    .max(eventType.options.length)
    .meta({ description: "What it is sent: the names of the topics." }),
});

const ONE = { access: "admin", tag: "webhooks" } as const;
const endpointId = z.string().regex(/^[0-9a-f]{16}$/);
const params = z.object({ endpoint_id: endpointId });
const ofDelivery = z.object({
  endpoint_id: endpointId,
  webhook_id: z.string().regex(/^msg_[0-9a-f]{32}$/),
});

export const webhookRoutes = [
  route(
    {
      ...ONE,
      method: "GET",
      path: "/v1/webhooks",
      summary: "List webhook endpoints, without their secrets",
      response: { 200: webhooks },
    },
    async (_, { database }) => ({ items: await listEndpoints(database) }),
  ),
  route(
    {
      ...ONE,
      method: "POST",
      path: "/v1/webhooks",
      showsSecret: true,
      summary: "Create a webhook endpoint",
      description: "What is published from then on is delivered to it. The secret is shown once.",
      body: newEndpoint,
      response: { 201: newWebhook },
    },
    async (request, { database, now, webhooks: rules }: WebhookContext) => {
      const { url, types } = request.body;
      const problem = await urlProblem(url, rules);
      if (problem !== null) throw refuse({ kind: "webhook_url", problem });
      const endpoint = { url, types: [...new Set(types)], by: nameOf(request), now: now() };
      const created = await createEndpoint(database, endpoint);
      if (created === null) throw refuse({ kind: "too_many_webhooks", most: MOST_ENDPOINTS });
      return created;
    },
  ),
  route(
    {
      ...ONE,
      method: "GET",
      path: "/v1/webhooks/:endpoint_id",
      summary: "Show a webhook endpoint, without its secret",
      params,
      response: { 200: webhook },
    },
    ({ params: { endpoint_id } }, { database }) => existing(database, endpoint_id),
  ),
  route(
    {
      ...ONE,
      method: "DELETE",
      path: "/v1/webhooks/:endpoint_id",
      summary: "Delete a webhook endpoint and what waits for it",
      params,
      response: { 204: z.undefined() },
    },
    async ({ params: { endpoint_id } }, { database }, reply) => {
      if (await deleteEndpoint(database, endpoint_id)) return reply.send();
      throw unknown(endpoint_id);
    },
  ),
  route(
    {
      ...ONE,
      method: "POST",
      path: "/v1/webhooks/:endpoint_id/pause",
      summary: "Stop delivering to a webhook endpoint; events gather",
      params,
      response: { 200: webhook },
    },
    async (request, { database, now }) => {
      const { endpoint_id } = request.params;
      await pauseEndpoint(database, endpoint_id, { by: nameOf(request), now: now() });
      return existing(database, endpoint_id);
    },
  ),
  route(
    {
      ...ONE,
      method: "POST",
      path: "/v1/webhooks/:endpoint_id/resume",
      summary: "Deliver to a webhook endpoint again, beginning with what waits",
      params,
      response: { 200: webhook },
    },
    async ({ params: { endpoint_id } }, { database, now }) => {
      await resumeEndpoint(database, endpoint_id, now());
      return existing(database, endpoint_id);
    },
  ),
  route(
    {
      ...ONE,
      method: "POST",
      path: "/v1/webhooks/:endpoint_id/secret",
      showsSecret: true,
      summary: "Replace the secret of a webhook endpoint; the old one signs too for a day",
      params,
      response: { 200: newSecret },
    },
    async ({ params: { endpoint_id } }, { database, now }) => {
      const replaced = await rotateSecret(database, endpoint_id, now());
      if (replaced === null) throw unknown(endpoint_id);
      return { endpointId: endpoint_id, ...replaced };
    },
  ),
  route(
    {
      ...ONE,
      method: "GET",
      path: "/v1/webhooks/:endpoint_id/deliveries",
      summary: "List what was delivered to a webhook endpoint or waits, the newest first",
      params,
      query: page,
      response: { 200: listOf(delivery) },
    },
    async ({ params: { endpoint_id }, query }, { database }) => {
      await existing(database, endpoint_id);
      return deliveryPage(query, (range) => listDeliveries(database, endpoint_id, range));
    },
  ),
  route(
    {
      ...ONE,
      method: "GET",
      path: "/v1/webhooks/:endpoint_id/deliveries/:webhook_id",
      summary: "Show a delivery: what is sent, and what was answered last",
      params: ofDelivery,
      response: { 200: delivery },
    },
    ({ params: { endpoint_id, webhook_id } }, { database }) =>
      existingDelivery(database, endpoint_id, webhook_id),
  ),
  route(
    {
      ...ONE,
      method: "POST",
      path: "/v1/webhooks/:endpoint_id/deliveries/:webhook_id/send-again",
      summary: "Send a delivery again, with the same webhook-id",
      params: ofDelivery,
      response: { 200: delivery },
    },
    async ({ params: { endpoint_id, webhook_id } }, { database, now }) => {
      await sendAgain(database, endpoint_id, webhook_id, now());
      return existingDelivery(database, endpoint_id, webhook_id);
    },
  ),
];

async function existing(database: RouteContext["database"], id: string) {
  const endpoint = await readEndpoint(database, id);
  if (endpoint === null) throw unknown(id);
  return endpoint;
}

async function existingDelivery(database: RouteContext["database"], id: string, webhookId: string) {
  const found = await readDelivery(database, id, webhookId);
  if (found !== null) return found;
  await existing(database, id);
  throw refuse({ kind: "unknown_delivery", webhookId });
}

function unknown(id: string) {
  return refuse({ kind: "unknown_webhook", endpointId: id });
}
