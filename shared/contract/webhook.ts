import { z } from "zod";
import { EVENT_TYPES } from "../core/webhooks/event-types.ts";
import { cursorsOf, INSTANT, type PageRequest, pageOf, TEXT } from "./cursor.ts";
import { noun } from "./noun.ts";
import { accountId, count, instant } from "./wire.ts";

/** What an endpoint can be sent. */
export const eventType = z.enum(EVENT_TYPES);

const secret = z.string().meta({
  description: "Verifies what is delivered. Shown once; keep it where secrets are kept.",
  example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
});

const endpointFields = {
  endpoint_id: z.string(),
  url: z.string(),
  // A newer version may have added types.
  types: z.array(z.string()),
  created_by: z.string(),
  created_at: instant,
  old_secret_until: instant.nullable().meta({
    description: "A replaced secret signs too, until then; null: none was replaced.",
  }),
  failing_since: instant
    .nullable()
    .meta({ description: "The first failure since the last success." }),
  paused_at: instant.nullable().meta({ description: "null: it is delivered to." }),
  paused_by: z
    .string()
    .nullable()
    .meta({ description: "null where it is paused: it has failed for too long." }),
  problem: z.string().nullable().meta({ description: "What was wrong with the last attempt." }),
};

/** An endpoint, without its secret. */
export const webhook = noun(endpointFields).meta({ title: "Webhook endpoint" });

export const webhooks = noun({ items: z.array(webhook) }).meta({ title: "Webhook endpoints" });

export const newWebhookFields = { endpoint_id: z.string(), secret };

export const newWebhook = noun(newWebhookFields).meta({ title: "Created webhook endpoint" });

export const newSecretFields = { ...newWebhookFields, old_secret_until: instant };

export const newSecret = noun(newSecretFields).meta({ title: "New webhook secret" });

/** What is sent, and what became of it. */
export const delivery = noun({
  webhook_id: z.string().meta({ description: "The header webhook-id, whenever it is sent." }),
  account_id: accountId,
  type: z.string(),
  sequence: count,
  created_at: instant,
  delivered_at: instant.nullable().meta({ description: "null: it waits." }),
  attempts: z.number().int(),
  tried_at: instant.nullable(),
  took_ms: z.number().int().nullable(),
  answer_status: z.number().int().nullable().meta({ description: "null: there was no answer." }),
  answer_start: z.string().nullable().meta({ description: "At most 1,024 bytes of the answer." }),
  problem: z.string().nullable().meta({ description: "What was wrong with the last attempt." }),
  next_try_at: instant.nullable().meta({
    description: "Of what waits: when it is due, or what comes before it.",
  }),
  body: z.string().meta({ description: "The body that is signed and sent." }),
}).meta({ title: "Webhook delivery" });

/** The place after which a page begins. */
interface Place {
  readonly createdAt: number;
  readonly webhookId: string;
}

/** A page of an endpoint's deliveries; `read` returns at most `limit` after `last`. */
export async function deliveryPage<T extends Place>(
  { limit, cursor }: PageRequest,
  read: (range: { readonly last: Place | null; readonly limit: number }) => Promise<readonly T[]>,
) {
  const cursors = cursorsOf("webhook-deliveries", [INSTANT, TEXT]);
  const [at, webhookId] = cursors.read(cursor) ?? [];
  const last =
    at === undefined || webhookId === undefined ? null : { createdAt: Number(at), webhookId };
  const found = await read({ last, limit: limit + 1 });
  return pageOf(found, limit, (end) => cursors.of(end.createdAt, end.webhookId));
}
