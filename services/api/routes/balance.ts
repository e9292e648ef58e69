import { z } from "zod";
import { balance, toBalance } from "../../../shared/contract/account.ts";
import { readAccounts } from "../../../shared/ledger/books/read-accounts.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import { unknownAccount } from "../problem.ts";
import { READ, route } from "./route.ts";

/**
 * Products call this before each piece of work, so it reads one row by its key, and lots only if one may have ended.
 */
export const balanceRoute = route(
  {
    ...READ,
    path: "/v1/accounts/:account_id/balance",
    tag: "accounts",
    summary: "Show an account's balance",
    description: "Sends an ETag. A request with that ETag in If-None-Match is answered 304.",
    headers: z.object({ "if-none-match": z.string().optional() }),
    response: { 200: balance, 304: z.undefined() },
  },
  async ({ params: { account_id }, headers }, { database, now }, reply) => {
    const account = (await readAccounts(database, [account_id])).get(account_id);
    if (account === undefined) throw unknownAccount(account_id);
    const at = now();
    const shown = toBalance(account, await readLotsIfDue(database, account, at), at);
    const tag = `"${shown.version}-${account.threshold}-${shown.ended}"`;
    void reply.header("ETag", tag);
    if (headers["if-none-match"] === tag) return reply.status(304).send();
    return shown;
  },
);
