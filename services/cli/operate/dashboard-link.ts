import type { Command } from "commander";
import { z } from "zod";
import {
  dashboardPath,
  dashboardTokenFields,
  TOKEN_MINUTES,
} from "../../../shared/contract/dashboard-token.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { dashboardLinkKey, makeDashboardToken } from "../../../shared/ledger/access/make-access.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, byArgument, wholeArgument } from "../shell/arguments.ts";
import { noAccount, type Result, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

interface LinkOptions extends JsonOption {
  readonly minutes: string;
  readonly api: string;
  readonly readOnly?: boolean;
}

const MINUTE_MS = 60_000;

export function addDashboardLinkCommand(program: Command): void {
  addCommand(program, "dashboard-link <account>", {
    does: "create a link that opens an account's dashboard, and nothing else, for a limited time",
    examples: [
      "dashboard-link acme --minutes 30 --api https://credits.example.com",
      "dashboard-link acme --read-only",
    ],
  })
    .option("--minutes <count>", "how long the link works, at most a day", `${TOKEN_MINUTES.usual}`)
    .option("--read-only", "the dashboard then shows the account and changes nothing")
    .option("--api <url>", "the URL of the API", "http://127.0.0.1:8088")
    .action((id: string, options: LinkOptions) =>
      run(options, (settings) => link(settings, accountIdArgument(id), options)),
    );
}

const dashboardLink = noun({ ...dashboardTokenFields, url: z.string() });

async function link(
  settings: Settings,
  accountId: AccountId,
  { minutes, api, readOnly = false }: LinkOptions,
): Promise<Result> {
  const count = wholeArgument("--minutes", minutes, 1n);
  const { most } = TOKEN_MINUTES;
  if (count > most) throw new WrongUsage(`--minutes can be at most ${most}`);
  const base = baseOf(api);
  const now = Date.now();
  const token = await withDatabase(settings, async (database) => {
    const keyId = await dashboardLinkKey(database, { createdBy: byArgument(undefined), now });
    return makeDashboardToken(database, {
      accountId,
      keyId,
      forMs: Number(count) * MINUTE_MS,
      readOnly,
      now,
    });
  });
  if (token === null) return noAccount(accountId);
  const dashboard = dashboardPath(token.text);
  const url = base + dashboard;
  return shown(
    dashboardLink,
    { accountId, token: token.text, expiresAt: token.expiresAt, readOnly, dashboard, url },
    `${url}\nIt works until ${formatInstant(token.expiresAt)}${readOnly ? ", and changes nothing" : ""}.`,
  );
}

function baseOf(api: string): string {
  if (URL.canParse(api) && /^https?:/.test(api)) return api.replace(/\/+$/, "");
  throw new WrongUsage(`--api must be a URL like https://credits.example.com, not "${api}"`);
}
