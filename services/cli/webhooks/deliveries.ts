import type { Command } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { listOf } from "../../../shared/contract/page.ts";
import { delivery, deliveryPage } from "../../../shared/contract/webhook.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readEndpoint } from "../../../shared/ledger/webhooks/endpoints.ts";
import {
  listDeliveries,
  readDelivery,
  sendAgain,
  type WebhookDelivery,
} from "../../../shared/ledger/webhooks/list-deliveries.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { fields, printable, table } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

const EXAMPLE = "1f0c2b7a9d3e4f56 msg_8b1a9953c4611296a827abf8c47804d7";

/** Adds the commands about what is delivered to an endpoint. */
export function addDeliveryCommands(webhooks: Command): void {
  addPageOptions(
    addCommand(webhooks, "deliveries <endpoint>", {
      does: "list what was delivered to an endpoint or waits, newest first",
      examples: ["webhooks deliveries 1f0c2b7a9d3e4f56"],
    }),
  ).action((id: string, options: PageOptions) =>
    run(options, (settings) => list(settings, id, options)),
  );
  addCommand(webhooks, "show <endpoint> <webhook-id>", {
    does: "show what is sent, and what was answered last",
    examples: [`webhooks show ${EXAMPLE}`],
  }).action((id: string, webhookId: string, options: JsonOption) =>
    run(options, (settings) => show(settings, id, webhookId)),
  );
  addCommand(webhooks, "send-again <endpoint> <webhook-id>", {
    does: "send a delivery again, with the same id",
    examples: [`webhooks send-again ${EXAMPLE}`],
  }).action((id: string, webhookId: string, options: JsonOption) =>
    run(options, (settings) => again(settings, id, webhookId)),
  );
}

async function list(settings: Settings, endpointId: string, options: PageOptions): Promise<Result> {
  const page = await withDatabase(settings, async (database) => {
    if ((await readEndpoint(database, endpointId)) === null) return null;
    return deliveryPage(pageArgument(options), (range) =>
      listDeliveries(database, endpointId, range),
    );
  });
  if (page === null) return refused({ kind: "unknown_webhook", endpointId });
  const text =
    page.items.length === 0
      ? "Nothing has been published for it yet."
      : [asTable(page.items), ...moreLines(page.nextCursor)].join("\n");
  return shown(listOf(delivery), page, text);
}

function asTable(deliveries: readonly WebhookDelivery[]): string {
  return table(deliveries, [
    ["WEBHOOK ID", ({ webhookId }) => webhookId],
    ["ACCOUNT", ({ accountId }) => accountId],
    ["TYPE", ({ type }) => type],
    ["SEQUENCE", ({ sequence }) => sequence, "right"],
    ["TRIES", ({ attempts }) => attempts, "right"],
    ["STATE", stateText],
  ]);
}

function stateText({ deliveredAt, problem, nextTryAt }: WebhookDelivery): string {
  if (deliveredAt !== null) return `delivered ${formatInstant(deliveredAt)}`;
  const why = problem === null ? "waits" : problem;
  return nextTryAt === null ? why : `${why}; due ${formatInstant(nextTryAt)}`;
}

async function show(settings: Settings, endpointId: string, webhookId: string): Promise<Result> {
  return withDatabase(settings, async (database) => {
    const found = await readDelivery(database, endpointId, webhookId);
    if (found === null) return refuseUnknown(database, endpointId, webhookId);
    return shown(delivery, found, deliveryText(found));
  });
}

function deliveryText(found: WebhookDelivery): string {
  const { answerStatus, answerStart, attempts, triedAt, tookMs } = found;
  const tried = triedAt === null ? "" : `, the last at ${formatInstant(triedAt)}, ${tookMs} ms`;
  return fields([
    ["webhook id", found.webhookId],
    ["account", found.accountId],
    ["type", found.type],
    ["sequence", String(found.sequence)],
    ["state", stateText(found)],
    ["attempts", `${countOf(attempts, "attempt")}${tried}`],
    ["answer", answerStatus === null ? "none" : `${answerStatus} ${answerStart ?? ""}`.trim()],
    ["body", found.body],
  ]);
}

const sent = noun({
  outcome: z.literal("queued"),
  endpoint_id: z.string(),
  webhook_id: z.string(),
});

async function again(settings: Settings, endpointId: string, webhookId: string): Promise<Result> {
  return withDatabase(settings, async (database) => {
    const isFound = await sendAgain(database, endpointId, webhookId, Date.now());
    if (!isFound) return refuseUnknown(database, endpointId, webhookId);
    return shown(
      sent,
      { outcome: "queued", endpointId, webhookId },
      `Delivery ${printable(webhookId)} is due again, with the same id; where its endpoint is paused, once that is resumed.`,
    );
  });
}

/** Says which of the two is unknown. */
async function refuseUnknown(
  database: Database,
  endpointId: string,
  webhookId: string,
): Promise<Result> {
  const endpoint = await readEndpoint(database, endpointId);
  return endpoint === null
    ? refused({ kind: "unknown_webhook", endpointId })
    : refused({ kind: "unknown_delivery", webhookId });
}
