import { useState } from "preact/hooks";
import type { OperationsData } from "../../../shared/contract/operations.ts";
import { Problem, request } from "../api/request.ts";
import { minute } from "../live/clock.ts";
import { Card } from "../parts/card.tsx";
import { countText } from "../text/credit-text.ts";
import { momentText } from "../text/time-text.ts";
import { NewWebhook } from "./new-webhook.tsx";

type Webhook = OperationsData["webhooks"][number];

interface WebhooksProps {
  readonly webhooks: readonly Webhook[];
  readonly credential: string;
  readonly zone: string;
}

/** The webhook endpoints: how each is, and what can be done about it with the scope admin. */
export function WebhooksCard({ webhooks, credential, zone }: WebhooksProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const change = async (webhook: Webhook): Promise<void> => {
    const what = webhook.paused_at === null ? "pause" : "resume";
    try {
      await request(credential, `/v1/webhooks/${webhook.endpoint_id}/${what}`, { method: "POST" });
      setProblem(null);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    }
  };
  return (
    <Card title="Webhooks">
      {webhooks.length === 0 && <p class="empty">No endpoint yet.</p>}
      {webhooks.map((webhook) => (
        <p key={webhook.endpoint_id}>
          {webhook.host}{" "}
          <span class={isWell(webhook) ? "note" : "note bad"}>{stateText(webhook, zone)}</span>{" "}
          <button type="button" class="link" onClick={() => void change(webhook)}>
            {webhook.paused_at === null ? "Pause" : "Resume"}
            <span class="unseen"> {webhook.host}</span>
          </button>
        </p>
      ))}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <NewWebhook credential={credential} />
    </Card>
  );
}

function isWell({ paused_at, failing_since }: Webhook): boolean {
  return paused_at === null && failing_since === null;
}

function stateText(webhook: Webhook, zone: string): string {
  const { queues, paused_at, paused_by, failing_since, problem } = webhook;
  const waiting = queues === 0 ? "nothing waits" : `${countText(BigInt(queues))} waiting`;
  const at = (instant: string) => momentText(zone, Date.parse(instant), minute.value);
  if (paused_at !== null) {
    const why = paused_by === null ? `it failed for too long: ${problem ?? ""}` : `by ${paused_by}`;
    return `paused ${at(paused_at)}, ${why}; ${waiting}`;
  }
  if (failing_since === null) return `delivering, ${waiting}`;
  return `failing since ${at(failing_since)}: ${problem ?? ""}; ${waiting}`;
}
