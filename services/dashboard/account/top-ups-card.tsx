import { useSignal } from "@preact/signals";
import { formatMoney } from "../../../shared/core/money.ts";
import { creditsCell } from "../activity/activity-csv.ts";
import type { TopUpData } from "../api/account-data.ts";
import { minute, second } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { More } from "../parts/more.tsx";
import { exactCredits, moneyText } from "../text/credit-text.ts";
import { agoText, momentText } from "../text/time-text.ts";
import type { OpenAccount } from "./open-account.ts";
import { TopUpDialog } from "./top-up-dialog.tsx";

const TONE = { pending: "warn", retrying: "warn", succeeded: "good", failed: "bad" } as const;
const COLUMNS = ["payment_id", "status", "amount", "currency", "credits", "reason", "created_at"];

/** Top-ups, the newest first: pending, succeeded and failed, each with what came of it. */
export function TopUpsCard({ open, zone }: { open: OpenAccount; zone: string }) {
  const isBuying = useSignal(false);
  const { value: account } = open.account.state.value;
  const shown = open.topUps.state.value;
  return (
    <Card
      title="Top-ups"
      side={
        <button
          type="button"
          class="button small"
          disabled={account === null}
          onClick={() => (isBuying.value = true)}
        >
          Top up
        </button>
      }
    >
      <Content of={shown} again={() => void open.topUps.reload()} lines={4}>
        {({ items }) => (
          <>
            {items.length === 0 && <p class="empty">No credits were bought yet.</p>}
            <ul class="rows" aria-label="Top-ups">
              {items.map((topUp) => (
                <TopUp key={topUp.payment_id} topUp={topUp} zone={zone} />
              ))}
            </ul>
            <div class="foot">
              <More list={open.topUps} what="top-ups" />
              {items.length > 0 && (
                <ExportCsv
                  what="top-ups"
                  file="top-ups"
                  columns={COLUMNS}
                  rows={() => items.map(cellsOf)}
                />
              )}
            </div>
          </>
        )}
      </Content>
      {isBuying.value && account !== null && (
        <TopUpDialog open={open} account={account} close={() => (isBuying.value = false)} />
      )}
    </Card>
  );
}

function TopUp({ topUp, zone }: { topUp: TopUpData; zone: string }) {
  const { status, amount, currency, credits, reason } = topUp;
  return (
    <li class="row">
      <div>
        <span class={`chip ${TONE[status]}`}>{status}</span>
        <When topUp={topUp} zone={zone} />
        {status !== "succeeded" && reason !== null && reason !== "" && (
          <p class="note said">{reason}</p>
        )}
      </div>
      <div class="number">
        {moneyText(BigInt(amount), currency)}
        <p class="note">
          {status === "failed"
            ? "nothing charged"
            : `${status === "succeeded" ? "added" : "will add"} ${exactCredits(BigInt(credits))} credits`}
        </p>
      </div>
    </li>
  );
}

function When({ topUp, zone }: { topUp: TopUpData; zone: string }) {
  const created = Date.parse(topUp.created_at);
  if (topUp.status === "pending") {
    return <span class="note"> asked of the bank {agoText(created, second.value)}</span>;
  }
  return <span class="note"> {momentText(zone, created, minute.value)}</span>;
}

function cellsOf(topUp: TopUpData) {
  return [
    topUp.payment_id,
    topUp.status,
    { number: formatMoney(BigInt(topUp.amount), topUp.currency) },
    topUp.currency,
    creditsCell(BigInt(topUp.credits)),
    topUp.reason ?? "",
    topUp.created_at,
  ];
}
