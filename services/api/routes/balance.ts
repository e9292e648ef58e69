import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { balance, toBalance } from "../../../shared/contract/account.ts";
import { readAccounts } from "../../../shared/ledger/books/read-accounts.ts";
import { unknownAccount } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, typed } from "./parts.ts";

/** The one read that products make before every call of theirs: one row, by its key. */
export function balanceRoutes(app: FastifyInstance, { database }: RouteParts): void {
  typed(app).get(
    "/v1/accounts/:account_id/balance",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "What an account has left",
        description: "With the state's version as ETag: If-None-Match is answered 304.",
        tags: ["accounts"],
        params: accountPath,
        headers: z.object({ "if-none-match": z.string().optional() }),
        response: { 200: balance, 304: z.undefined(), ...REFUSALS },
      },
    },
    async (request, reply) => {
      const asked = request.params.account_id;
      const account = (await readAccounts(database, [asked])).get(asked);
      if (account === undefined) throw unknownAccount(asked);
      const tag = `"${account.version}-${account.threshold}"`;
      void reply.header("ETag", tag);
      if (request.headers["if-none-match"] === tag) return reply.status(304).send();
      return toBalance(account);
    },
  );
}
