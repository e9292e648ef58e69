import { z } from "zod";
import {
  dismissedLetter,
  dismissedLetters,
  retriedLetter,
  retriedLetters,
} from "../../../shared/contract/dead-letter.ts";
import { count, words } from "../../../shared/contract/wire.ts";
import {
  MAX_PARTITION,
  placeText,
  TOPIC_NAME,
} from "../../../shared/core/usage/dead-letter-place.ts";
import { DEAD_LETTER_REASONS } from "../../../shared/core/usage/usage-event.ts";
import {
  dismissDeadLetter,
  dismissDeadLetters,
} from "../../../shared/ledger/dead-letters/dismiss.ts";
import { retryDeadLetter, retryDeadLetters } from "../../../shared/ledger/dead-letters/retry.ts";
import { nameOf } from "../access/caller.ts";
import { keyHeader } from "../idempotency.ts";
import { refuse } from "../problem.ts";
import { requestBody, route } from "./route.ts";

const reason = z.enum(DEAD_LETTER_REASONS);
const why = words(1_024)
  .refine((text) => text.trim() !== "", "is empty; give a reason for the record")
  .meta({ description: "The reason, for the record." });

const DECIDE = {
  method: "POST",
  access: "dead_letters",
  tag: "operations",
  headers: keyHeader,
} as const;

const ONE = {
  ...DECIDE,
  params: z.object({
    topic: z.string().regex(TOPIC_NAME),
    partition: z.coerce.number().int().min(0).max(MAX_PARTITION),
    offset: count,
  }),
} as const;
const PLACE = "/v1/dead-letters/:topic/:partition/:offset";

export const decideDeadLetterRoutes = [
  route(
    {
      ...ONE,
      path: `${PLACE}/retries`,
      summary: "Publish a dead letter again, unchanged",
      description:
        "The services publish it within seconds. It is metered at most once however often it is retried; if it still cannot be metered, it becomes a new dead letter.",
      response: { 200: retriedLetter },
    },
    async (request, { database, now }) => {
      const { params: place } = request;
      const outcome = await retryDeadLetter(database, place, now(), nameOf(request));
      if (outcome.kind !== "asked" && outcome.kind !== "asked_already") throw refuse(outcome);
      return { outcome: outcome.kind, place: placeText(place) };
    },
  ),
  route(
    {
      ...ONE,
      path: `${PLACE}/dismissals`,
      summary: "Dismiss a dead letter, so that it is never metered",
      body: requestBody("New dismissal", { why }),
      response: { 200: dismissedLetter },
    },
    async (request, { database, now }) => {
      const { params: place, body } = request;
      const dismissal = { at: now(), by: nameOf(request), reason: body.why };
      const outcome = await dismissDeadLetter(database, place, dismissal);
      if (outcome.kind !== "dismissed") throw refuse(outcome);
      return { outcome: outcome.kind, place: placeText(place), ...by(dismissal) };
    },
  ),
  route(
    {
      ...DECIDE,
      path: "/v1/dead-letters/retries",
      summary: "Publish all open dead letters of a reason again",
      description: "Those recorded later are left out.",
      body: requestBody("Retry by reason", {
        reason: reason.nullable().meta({ description: "null: of any reason." }),
      }),
      response: { 200: retriedLetters },
    },
    async (request, { database, now }) => {
      const scope = { reason: request.body.reason, now: now() };
      const outcome = await retryDeadLetters(database, scope, nameOf(request));
      if (outcome.kind !== "asked") throw refuse(outcome, "reason");
      return { outcome: outcome.kind, ...outcome };
    },
  ),
  route(
    {
      ...DECIDE,
      path: "/v1/dead-letters/dismissals",
      summary: "Dismiss all open dead letters of a reason",
      description: "Those recorded later are left out.",
      body: requestBody("Dismissal by reason", { reason, why }),
      response: { 200: dismissedLetters },
    },
    async (request, { database, now }) => {
      const { body } = request;
      const dismissal = { by: nameOf(request), reason: body.why };
      const scope = { reason: body.reason, now: now() };
      const dismissed = await dismissDeadLetters(database, scope, dismissal);
      if (dismissed === 0) throw refuse({ kind: "no_dead_letters", reason: body.reason }, "reason");
      return { outcome: "dismissed" as const, dismissed, ...by(dismissal) };
    },
  ),
];

function by(dismissal: { readonly by: string; readonly reason: string }) {
  return { dismissedBy: dismissal.by, dismissedReason: dismissal.reason };
}
