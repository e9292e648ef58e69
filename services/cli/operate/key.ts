import { type Command, Option } from "commander";
import { z } from "zod";
import {
  apiKeys,
  MAX_KEY_NAME_LENGTH,
  newApiKeyFields,
  newKeyProblem,
  scope,
} from "../../../shared/contract/api-key.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { instant } from "../../../shared/contract/wire.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import type { Scope } from "../../../shared/core/text/scopes.ts";
import { type ApiKey, listApiKeys, revokeApiKey } from "../../../shared/ledger/access/api-keys.ts";
import { makeApiKey } from "../../../shared/ledger/access/make-access.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, byArgument, instantArgument } from "../shell/arguments.ts";
import { printable, table } from "../shell/print.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

interface CreateOptions extends JsonOption {
  readonly scope: readonly Scope[];
  readonly expires?: string;
  readonly account?: readonly string[];
}

export function addKeyCommands(program: Command): void {
  const key = program.command("key").description("create, list and revoke API keys");
  addCommand(key, "create <name>", {
    does: "create an API key; it is shown only once",
    examples: [
      "key create product --scope ingest read",
      "key create prometheus --scope metrics --expires 2027-09-01T00:00:00Z",
      "key create reseller --scope read billing --account acme globex",
    ],
  })
    .addOption(
      new Option("--scope <scopes...>", "what it may do; admin may do everything")
        .choices(scope.options)
        .makeOptionMandatory(),
    )
    .option("--expires <instant>", "when it stops working; by default it does not expire")
    .option("--account <accounts...>", "the only accounts that it opens; all by default")
    .action((name: string, options: CreateOptions) =>
      run(options, (settings) => create(settings, nameArgument(name), options)),
    );
  addCommand(key, "list", { does: "list API keys, newest first", examples: ["key list"] }).action(
    (options: JsonOption) => run(options, list),
  );
  addCommand(key, "revoke <key-id>", {
    does: "revoke an API key and the dashboard links made with it",
    examples: ["key revoke 1f0c2b7a9d3e4f56"],
  }).action((keyId: string, options: JsonOption) =>
    run(options, (settings) => revoke(settings, keyId)),
  );
}

const created = noun({
  outcome: z.literal("created"),
  ...newApiKeyFields,
  name: z.string(),
  scopes: z.array(scope),
  expires_at: instant.nullable(),
  account_ids: z.array(z.string()).nullable(),
});
const revoked = noun({ outcome: z.literal("revoked"), key_id: z.string() });

function nameArgument(name: string): string {
  if (name.length > 0 && name.length <= MAX_KEY_NAME_LENGTH && !name.includes("\0")) return name;
  throw new WrongUsage(`a key's name has 1 to ${MAX_KEY_NAME_LENGTH} characters`);
}

async function create(settings: Settings, name: string, options: CreateOptions): Promise<Result> {
  const now = Date.now();
  const { expires, account } = options;
  const key = {
    ...{ name, scopes: [...new Set(options.scope)], createdBy: byArgument(undefined) },
    expiresAt: expires === undefined ? null : instantArgument("--expires", expires),
    accountIds: account === undefined ? null : [...new Set(account.map(accountIdArgument))],
  };
  const problem = newKeyProblem(key, now);
  if (problem !== null) throw new WrongUsage(`${OPTIONS[problem.field]} ${problem.what}`);
  const { keyId, text } = await withDatabase(settings, (database) =>
    makeApiKey(database, { ...key, now }),
  );
  return shown(
    created,
    { outcome: "created", keyId, ...key, key: text },
    `Key ${printable(name)} (${keyId}) may: ${key.scopes.join(", ")}${limitsText(key)}.\nIt is shown only now:\n${text}`,
  );
}

const OPTIONS = { expires_at: "--expires", account_ids: "--account" } as const;

function limitsText({ expiresAt, accountIds }: Pick<ApiKey, "expiresAt" | "accountIds">): string {
  const until = expiresAt === null ? "" : `; until ${formatInstant(expiresAt)}`;
  return accountIds === null ? until : `; of ${accountIds.map(printable).join(", ")} only${until}`;
}

async function list(settings: Settings): Promise<Result> {
  const keys = await withDatabase(settings, listApiKeys);
  return shown(apiKeys, { items: keys }, keys.length === 0 ? "There are no keys." : asTable(keys));
}

function asTable(keys: readonly ApiKey[]): string {
  return table(keys, [
    ["KEY", ({ keyId }) => keyId],
    ["NAME", ({ name }) => name],
    ["MAY", ({ scopes }) => scopes.join(", ")],
    ["ACCOUNTS", ({ accountIds }) => accountIds?.map(printable).join(", ") ?? "all"],
    ["CREATED", ({ createdAt }) => formatInstant(createdAt)],
    ["LAST USED", ({ lastUsedAt }) => formatInstant(lastUsedAt)],
    ["EXPIRES", ({ expiresAt }) => formatInstant(expiresAt, "never")],
    ["REVOKED", ({ revokedAt }) => formatInstant(revokedAt, "no")],
  ]);
}

async function revoke(settings: Settings, keyId: string): Promise<Result> {
  const found = await withDatabase(settings, (database) =>
    revokeApiKey(database, keyId, { now: Date.now(), by: byArgument(undefined) }),
  );
  if (!found) return refused({ kind: "unknown_key", keyId });
  return shown(
    revoked,
    { outcome: "revoked", keyId },
    `Key ${printable(keyId)} is revoked; it stops working within seconds.`,
  );
}
