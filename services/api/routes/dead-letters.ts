import { z } from "zod";
import { deadLetter, deadLetterPage } from "../../../shared/contract/dead-letter.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { accountId, words } from "../../../shared/contract/wire.ts";
import { listDeadLetters } from "../../../shared/ledger/dead-letters/list.ts";
import { route } from "./route.ts";

const filter = page.extend({
  reason: words(100).optional(),
  account_id: accountId.optional(),
  state: z
    .enum(["open", "all"])
    .default("open")
    .meta({ description: "open: neither retried nor dismissed" }),
});

export const deadLetterRoute = route(
  {
    method: "GET",
    path: "/v1/dead-letters",
    access: ["read", "dead_letters"],
    tag: "operations",
    summary:
      "List dead letters (events that could not be metered) with their reasons, newest first",
    query: filter,
    response: { 200: listOf(deadLetter) },
  },
  ({ query: { reason = null, account_id = null, state, ...range } }, { database }) => {
    const which = { reason, accountId: account_id, decided: state === "all" };
    return deadLetterPage(range, (count) => listDeadLetters(database, which, count));
  },
);
