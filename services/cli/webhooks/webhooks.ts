import { type Command, Option } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import {
  eventType,
  newSecretFields,
  newWebhookFields,
  webhooks as webhooksNoun,
} from "../../../shared/contract/webhook.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import type { EventType } from "../../../shared/core/webhooks/event-types.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  MOST_ENDPOINTS,
  pauseEndpoint,
  resumeEndpoint,
  rotateSecret,
  type WebhookEndpoint,
} from "../../../shared/ledger/webhooks/endpoints.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { urlProblem } from "../../../shared/webhooks/check-url.ts";
import { byArgument } from "../shell/arguments.ts";
import { printable, table } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { addDeliveryCommands } from "./deliveries.ts";

interface AddOptions extends JsonOption {
  readonly type: readonly EventType[];
}

export function addWebhookCommands(program: Command): void {
  const webhooks = program
    .command("webhooks")
    .description("deliver events over HTTPS: endpoints and their deliveries");
  addCommand(webhooks, "add <url>", {
    does: "deliver events to a URL; the secret is shown only once",
    examples: ["webhooks add https://example.com/drawdown --type billing.low-balance"],
  })
    .addOption(
      new Option("--type <types...>", "what is delivered")
        .choices(eventType.options)
        .makeOptionMandatory(),
    )
    .action((url: string, options: AddOptions) =>
      run(options, (settings) => add(settings, url, options)),
    );
  addCommand(webhooks, "list", {
    does: "list the endpoints, and whether they take what they are sent",
    examples: ["webhooks list"],
  }).action((options: JsonOption) => run(options, list));
  addChange(webhooks, "pause", "stop delivering to an endpoint; events gather", pause);
  addChange(webhooks, "resume", "deliver again, beginning with what waits", resume);
  addChange(webhooks, "rotate", "replace the secret; the old one signs too for a day", rotate);
  addChange(webhooks, "delete", "delete an endpoint and what waits for it", remove);
  addDeliveryCommands(webhooks);
}

function addChange(
  webhooks: Command,
  name: string,
  does: string,
  change: (settings: Settings, id: string) => Promise<Result>,
): void {
  const example = `webhooks ${name} 1f0c2b7a9d3e4f56`;
  addCommand(webhooks, `${name} <endpoint>`, { does, examples: [example] }).action(
    (id: string, options: JsonOption) => run(options, (settings) => change(settings, id)),
  );
}

const added = noun({ outcome: z.literal("created"), ...newWebhookFields });

async function add(settings: Settings, url: string, { type }: AddOptions): Promise<Result> {
  const problem = await urlProblem(url, settings.webhooks);
  if (problem !== null) return refused({ kind: "webhook_url", problem });
  const by = { by: byArgument(undefined), now: Date.now() };
  const endpoint = { url, types: [...new Set(type)], ...by };
  const created = await withDatabase(settings, (database) => createEndpoint(database, endpoint));
  if (created === null) return refused({ kind: "too_many_webhooks", most: MOST_ENDPOINTS });
  const { endpointId, secret } = created;
  const says = `Endpoint ${endpointId} is sent: ${endpoint.types.join(", ")}.`;
  return shown(
    added,
    { outcome: "created", ...created },
    `${says}\nIts secret is shown only now:\n${secret}`,
  );
}

async function list(settings: Settings): Promise<Result> {
  const items = await withDatabase(settings, listEndpoints);
  const text = items.length === 0 ? "There are no webhook endpoints." : asTable(items);
  return shown(webhooksNoun, { items }, text);
}

function asTable(endpoints: readonly WebhookEndpoint[]): string {
  return table(endpoints, [
    ["ENDPOINT", ({ endpointId }) => endpointId],
    ["URL", ({ url }) => url],
    ["IS SENT", ({ types }) => types.join(", ")],
    ["STATE", stateText],
  ]);
}

function stateText({ pausedAt, pausedBy, failingSince, problem }: WebhookEndpoint): string {
  const why = problem === null ? "" : `: ${problem}`;
  if (pausedAt !== null) {
    const by = pausedBy === null ? `failed for too long${why}` : `by ${pausedBy}`;
    return `paused since ${formatInstant(pausedAt)}, ${by}`;
  }
  return failingSince === null
    ? "delivering"
    : `failing since ${formatInstant(failingSince)}${why}`;
}

const changed = noun({
  outcome: z.enum(["paused", "resumed", "deleted"]),
  endpoint_id: z.string(),
});

async function pause(settings: Settings, endpointId: string): Promise<Result> {
  const by = { by: byArgument(undefined), now: Date.now() };
  const found = await withDatabase(settings, (database) => pauseEndpoint(database, endpointId, by));
  return outcome(endpointId, found, "paused", "is paused; what is published gathers");
}

async function resume(settings: Settings, endpointId: string): Promise<Result> {
  const found = await withDatabase(settings, (database) =>
    resumeEndpoint(database, endpointId, Date.now()),
  );
  return outcome(endpointId, found, "resumed", "is delivered to again");
}

async function remove(settings: Settings, endpointId: string): Promise<Result> {
  const found = await withDatabase(settings, (database) => deleteEndpoint(database, endpointId));
  return outcome(endpointId, found, "deleted", "is deleted, with what waited for it");
}

function outcome(
  endpointId: string,
  found: boolean,
  name: "paused" | "resumed" | "deleted",
  says: string,
): Result {
  if (!found) return refused({ kind: "unknown_webhook", endpointId });
  return shown(
    changed,
    { outcome: name, endpointId },
    `Endpoint ${printable(endpointId)} ${says}.`,
  );
}

const rotated = noun({ outcome: z.literal("rotated"), ...newSecretFields });

async function rotate(settings: Settings, endpointId: string): Promise<Result> {
  const replaced = await withDatabase(settings, (database) =>
    rotateSecret(database, endpointId, Date.now()),
  );
  if (replaced === null) return refused({ kind: "unknown_webhook", endpointId });
  const { secret, oldSecretUntil } = replaced;
  return shown(
    rotated,
    { outcome: "rotated", endpointId, secret, oldSecretUntil },
    `The old secret signs too until ${formatInstant(oldSecretUntil)}.\nThe new one is shown only now:\n${secret}`,
  );
}
