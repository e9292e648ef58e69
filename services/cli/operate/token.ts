import type { Command } from "commander";
import { z } from "zod";
import { listedToken, tokenPage } from "../../../shared/contract/dashboard-token.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { listOf } from "../../../shared/contract/page.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  type ListedToken,
  listDashboardTokens,
  revokeDashboardToken,
} from "../../../shared/ledger/access/dashboard-tokens.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, byArgument } from "../shell/arguments.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { printable, table } from "../shell/print.ts";
import { readBooks } from "../shell/read-books.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

export function addTokenCommands(program: Command): void {
  const token = program.command("token").description("list and revoke dashboard tokens");
  addPageOptions(
    addCommand(token, "list <account>", {
      does: "list the dashboard tokens that open an account now",
      examples: ["token list acme"],
    }),
  ).action((id: string, options: PageOptions) =>
    run(options, (settings) => list(settings, accountIdArgument(id), options)),
  );
  addCommand(token, "revoke <account> <token-id>", {
    does: "revoke one dashboard token; the others of its key go on working",
    examples: ["token revoke acme 1f0c2b7a9d3e4f56"],
  }).action((id: string, tokenId: string, options: JsonOption) =>
    run(options, (settings) => revoke(settings, accountIdArgument(id), tokenId)),
  );
}

async function list(
  settings: Settings,
  accountId: AccountId,
  options: PageOptions,
): Promise<Result> {
  const now = Date.now();
  const page = await readBooks(settings, async (transaction) => {
    if ((await readAccountDetails(transaction, accountId)) === null) return null;
    return tokenPage(pageArgument(options), (limit) =>
      listDashboardTokens(transaction, { accountId, now, limit }),
    );
  });
  if (page === null) return noAccount(accountId);
  const text =
    page.items.length === 0
      ? "No dashboard token opens this account."
      : [asTable(page.items), ...moreLines(page.nextCursor)].join("\n");
  return shown(listOf(listedToken), page, text);
}

function asTable(tokens: readonly ListedToken[]): string {
  return table(tokens, [
    ["TOKEN", ({ tokenId }) => tokenId],
    ["KEY", ({ keyId }) => keyId],
    ["MAY", ({ readOnly }) => (readOnly ? "read" : "read, top up, set limits")],
    ["EXPIRES", ({ expiresAt }) => formatInstant(expiresAt)],
  ]);
}

const revoked = noun({
  outcome: z.literal("revoked"),
  account_id: accountId,
  token_id: z.string(),
});

async function revoke(settings: Settings, accountId: AccountId, tokenId: string): Promise<Result> {
  const by = { now: Date.now(), by: byArgument(undefined) };
  const found = await withDatabase(settings, (database) =>
    revokeDashboardToken(database, { accountId, tokenId }, by),
  );
  if (!found) return refused({ kind: "unknown_token", tokenId });
  return shown(
    revoked,
    { outcome: "revoked", accountId, tokenId },
    `Token ${printable(tokenId)} is revoked; it stops working within seconds.`,
  );
}
