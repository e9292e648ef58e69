import { type Command, Option } from "commander";
import { z } from "zod";
import {
  apiKeys,
  MAX_KEY_NAME_LENGTH,
  newApiKeyFields,
  scope,
} from "../../../shared/contract/api-key.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  type ApiKey,
  listApiKeys,
  revokeApiKey,
  type Scope,
} from "../../../shared/ledger/access/api-keys.ts";
import { makeApiKey } from "../../../shared/ledger/access/make-access.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { byArgument } from "../shell/arguments.ts";
import { printable, table } from "../shell/print.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

interface CreateOptions extends JsonOption {
  readonly scope: readonly Scope[];
}

export function addKeyCommands(program: Command): void {
  const key = program.command("key").description("create, list and revoke API keys");
  addCommand(key, "create <name>", {
    does: "create an API key; it is shown only once",
    examples: ["key create product --scope ingest read", "key create operations --scope admin"],
  })
    .addOption(
      new Option("--scope <scopes...>", "what it may do; admin may do everything")
        .choices(scope.options)
        .makeOptionMandatory(),
    )
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
});
const revoked = noun({ outcome: z.literal("revoked"), key_id: z.string() });

function nameArgument(name: string): string {
  if (name.length > 0 && name.length <= MAX_KEY_NAME_LENGTH && !name.includes("\0")) return name;
  throw new WrongUsage(`a key's name has 1 to ${MAX_KEY_NAME_LENGTH} characters`);
}

async function create(
  settings: Settings,
  name: string,
  { scope: scopes }: CreateOptions,
): Promise<Result> {
  const key = { name, scopes: [...new Set(scopes)], createdBy: byArgument(undefined) };
  const { keyId, text } = await withDatabase(settings, (database) =>
    makeApiKey(database, { ...key, now: Date.now() }),
  );
  return shown(
    created,
    { outcome: "created", keyId, ...key, key: text },
    `Key ${printable(name)} (${keyId}) may: ${key.scopes.join(", ")}.\nIt is shown only now:\n${text}`,
  );
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
    ["CREATED", ({ createdAt }) => formatInstant(createdAt)],
    ["LAST USED", ({ lastUsedAt }) => formatInstant(lastUsedAt)],
    ["REVOKED", ({ revokedAt }) => formatInstant(revokedAt, "no")],
  ]);
}

async function revoke(settings: Settings, keyId: string): Promise<Result> {
  const found = await withDatabase(settings, (database) =>
    revokeApiKey(database, keyId, Date.now()),
  );
  if (!found) return refused({ kind: "unknown_key", keyId });
  return shown(
    revoked,
    { outcome: "revoked", keyId },
    `Key ${printable(keyId)} is revoked; it stops working within seconds.`,
  );
}
