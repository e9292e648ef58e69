import type { ReadonlySignal } from "@preact/signals";
import type { OperationsData } from "../../../shared/contract/operations.ts";
import { minute, second } from "../live/clock.ts";
import { Card } from "../parts/card.tsx";
import { countText } from "../text/credit-text.ts";
import { decimalText } from "../text/locale.ts";
import { agoText, momentText, secondText } from "../text/time-text.ts";
import { Sparkline } from "./sparkline.tsx";
import type { Watched } from "./watch-operations.ts";
import { WebhooksCard } from "./webhooks-card.tsx";

/** The time zone of the operator's machine. */
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** The latency target from event to balance; shown in red when exceeded. */
const SLOW_MS = 1000;

/** The health of the system, for operators. */
export function OperatorsPage({
  watched,
  credential,
  signOut,
}: {
  readonly watched: ReadonlySignal<Watched>;
  /** The operator's key. */
  readonly credential: string;
  readonly signOut: () => void;
}) {
  const { history, problem } = watched.value;
  const now = history.at(-1);
  return (
    <main class="page">
      <header class="top">
        <h1>
          Drawdown <span class="soft">· operations</span>
        </h1>
        <p class={`connection ${problem === null ? "live" : "reconnecting"}`}>
          <span role="status">{problem === null ? "live" : "not up to date"}</span>
          {now !== undefined && `, as of ${secondText(ZONE, Date.parse(now.at))}`}
        </p>
      </header>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem.message}
        </p>
      )}
      {now === undefined ? (
        <p class="note">Loading</p>
      ) : (
        <Numbers now={now} history={history} credential={credential} />
      )}
      <footer class="note">
        All times are in {ZONE}.{" "}
        <button type="button" class="link" onClick={signOut}>
          Sign out
        </button>
      </footer>
    </main>
  );
}

interface NumbersProps {
  readonly now: OperationsData;
  readonly history: readonly OperationsData[];
  readonly credential: string;
}

function Numbers({ now, history, credential }: NumbersProps) {
  const { p50, p99 } = now.balance_delay_ms;
  const isSlow = p99 !== null && p99 > SLOW_MS;
  return (
    <>
      <div class="tiles">
        <Card title="Events a second">
          <p class="figure">{countText(BigInt(Math.round(now.events_per_second)))}</p>
          <Sparkline values={history.map((each) => each.events_per_second)} />
        </Card>
        <Card title="Events behind">
          <p class="figure">{countText(BigInt(now.lag))}</p>
          <Sparkline values={history.map(({ lag }) => Number(lag))} />
        </Card>
        <Card title="Event to balance, p99">
          <p class={`figure ${isSlow ? "bad" : ""}`}>{delayText(p99)}</p>
          <p class="note">
            {p50 === null ? "no recent usage" : `half within ${delayText(p50)}`}
            {isSlow && " · above the target of 1 s"}
          </p>
          <Sparkline values={history.map(({ balance_delay_ms }) => balance_delay_ms.p99 ?? 0)} />
        </Card>
        <Card title="Due work">
          <p class="figure">{countText(BigInt(now.scheduler.due))}</p>
          <p class="note">{dueText(now)}</p>
          <p class="note">{countText(BigInt(now.outbox))} messages waiting to be published</p>
        </Card>
      </div>
      <div class="tiles">
        <Proof now={now} />
        <Counts
          title="Open dead letters, by reason"
          empty="None: every event was metered, retried or dismissed."
          rows={now.dead_letters.map(({ reason, count }) => ({ name: reason, count }))}
        />
        <Counts
          title="Top-ups by state"
          empty="No top-ups yet."
          rows={now.top_ups.map(({ status, count }) => ({ name: status, count }))}
        />
        <WebhooksCard webhooks={now.webhooks} credential={credential} zone={ZONE} />
      </div>
    </>
  );
}

function Proof({ now: { reconciliation } }: { now: OperationsData }) {
  if (reconciliation === null) {
    return (
      <Card title="Reconciliation of usage">
        <p class="empty">Not yet: the scheduler reconciles usage every night.</p>
      </Card>
    );
  }
  const { at, messages, verified, differences } = reconciliation;
  const isVerified = differences === "0";
  return (
    <Card title="Reconciliation of usage">
      <p class={`figure ${isVerified ? "" : "bad"}`}>
        {isVerified ? "verified" : `${countText(BigInt(differences))} differences`}
      </p>
      <p class="note">
        {countText(BigInt(verified))} of {countText(BigInt(messages))} new messages,{" "}
        {momentText(ZONE, Date.parse(at), minute.value)}
        {!isVerified && ": run drawdown reconcile for details"}
      </p>
    </Card>
  );
}

interface CountsProps {
  readonly title: string;
  readonly empty: string;
  readonly rows: readonly { readonly name: string; readonly count: string | number }[];
}

function Counts({ title, empty, rows }: CountsProps) {
  return (
    <Card title={title}>
      {rows.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <dl class="pairs">
          {rows.map(({ name, count }) => (
            <div key={name}>
              <dt>{name.replaceAll("_", " ")}</dt>
              <dd>{countText(BigInt(count))}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}

function delayText(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${decimalText((ms / 1000).toFixed(1))} s`;
}

function dueText({ scheduler }: OperationsData): string {
  if (scheduler.oldest_due_at === null) return "nothing is due";
  const oldest = Date.parse(scheduler.oldest_due_at);
  if (oldest > second.value) return `next at ${momentText(ZONE, oldest, minute.value)}`;
  return `the oldest was due ${agoText(oldest, second.value)}`;
}
