import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { deadLetter } from "../../../shared/contract/dead-letter.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { accountId, words } from "../../../shared/contract/wire.ts";
import { listDeadLetters } from "../../../shared/ledger/dead-letters/list.ts";
import { cursorsOf, INSTANT, pageOf, SMALL, TEXT, WHOLE } from "../cursor.ts";
import { REFUSALS, type RouteParts, typed } from "./parts.ts";

const cursors = cursorsOf("dead_letters", [INSTANT, TEXT, SMALL, WHOLE]);

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
    async ({ query: { limit, cursor, reason = null, account_id = null, state } }) => {
      const from = cursors.read(cursor);
      const [recordedAt, topic = "", partition, offset = "0"] = from ?? [];
      const place = { topic, partition: Number(partition), offset: BigInt(offset) };
      const before = from === null ? null : { ...place, recordedAt: Number(recordedAt) };
      const asked = { reason, accountId: account_id, decided: state === "all" };
      const read = await listDeadLetters(database, asked, { before, limit: limit + 1 });
      return pageOf(read, limit, (last) =>
        cursors.of(last.recordedAt, last.topic, last.partition, last.offset),
      );
    },
  );
}
