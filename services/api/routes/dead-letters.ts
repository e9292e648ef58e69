import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { deadLetter, deadLetterPage } from "../../../shared/contract/dead-letter.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { accountId, words } from "../../../shared/contract/wire.ts";
import { listDeadLetters } from "../../../shared/ledger/dead-letters/list.ts";
import { REFUSALS, type RouteParts, typed } from "./parts.ts";

export function deadLetterRoutes(app: FastifyInstance, { database }: RouteParts): void {
  typed(app).get(
    "/v1/dead-letters",
    {
      config: { access: "read" },
      schema: {
        summary: "Events that could not be metered, and why, newest first",
        tags: ["operations"],
        querystring: page.extend({
          reason: words(100).optional(),
          account_id: accountId.optional(),
          state: z
            .enum(["open", "all"])
            .default("open")
            .meta({ description: "open: those neither retried nor dismissed" }),
        }),
        response: { 200: listOf(deadLetter), ...REFUSALS },
      },
    },
    ({ query: { reason = null, account_id = null, state, ...asked } }) => {
      const which = { reason, accountId: account_id, decided: state === "all" };
      return deadLetterPage(asked, (range) => listDeadLetters(database, which, range));
    },
  );
}
