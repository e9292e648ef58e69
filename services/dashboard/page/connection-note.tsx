import type { ReadonlySignal } from "@preact/signals";
import type { LiveState } from "../live/live-state.ts";
import { secondText } from "../text/time-text.ts";

/** Whether the page is live, or when it last was. */
export function ConnectionNote({ live, zone }: { live: ReadonlySignal<LiveState>; zone: string }) {
  const { connection, line, receivedAt } = live.value;
  const changed = line?.changedAt ?? null;
  if (connection === "live") {
    return (
      <p class="connection live">
        <span role="status">live</span>
        {changed !== null && (
          <span class="wide-only">, last change {secondText(zone, changed)}</span>
        )}
      </p>
    );
  }
  const as = receivedAt === null ? "" : ` · as of ${secondText(zone, receivedAt)}`;
  return (
    <p class={`connection ${connection}`}>
      <span role="status">{connection === "connecting" ? "connecting" : `reconnecting${as}`}</span>
    </p>
  );
}
