import { useSignal } from "@preact/signals";
import type { PaymentOfAccountData } from "../../../shared/contract/payment.ts";
import { minute, second } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { More } from "../parts/more.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { moneyText } from "../text/credit-text.ts";
import { broughtText, paidForText } from "../text/payment-text.ts";
import { agoText, momentText } from "../text/time-text.ts";
import { TopUpDialog } from "./top-up-dialog.tsx";

const TONE = {
  pending: "warn",
  retrying: "warn",
  succeeded: "good",
  failed: "bad",
  invoiced: "good",
} as const;

/** Top-ups and plan fees, newest first, with their status and result. */
export function PaymentsCard({ open, zone }: { open: OpenAccount; zone: string }) {
  const isBuying = useSignal(false);
  const { value: account } = open.account.state.value;
  return (
    <Card
      title="Top-ups and fees"
      side={
        !open.readOnly && (
          <button
            type="button"
            class="button small"
            disabled={account === null}
            onClick={() => (isBuying.value = true)}
          >
            Top up
          </button>
        )
      }
    >
      <Content of={open.payments.state.value} again={() => void open.payments.reload()} lines={4}>
        {({ items }) => (
          <>
            {items.length === 0 && <p class="empty">No payments yet.</p>}
            <ul class="rows" aria-label="Payments">
              {items.map((payment) => (
                <Payment key={payment.payment_id} payment={payment} zone={zone} />
              ))}
            </ul>
            <div class="foot">
              <More list={open.payments} what="payments" />
              {items.length > 0 && <ExportCsv what="payments" load={open.api.csv.payments()} />}
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

function Payment({ payment, zone }: { payment: PaymentOfAccountData; zone: string }) {
  const { status, amount, currency, reason } = payment;
  return (
    <li class="row">
      <div>
        <p class="paid-for">
          {paidForText(payment)} <span class={`chip ${TONE[status]}`}>{status}</span>
        </p>
        <p class="note">
          <When payment={payment} zone={zone} />
        </p>
        {status !== "succeeded" && reason !== "" && <p class="note said">{reason}</p>}
      </div>
      <div class="number">
        {moneyText(BigInt(amount), currency)}
        <p class="note">{broughtText(payment)}</p>
      </div>
    </li>
  );
}

function When({ payment, zone }: { payment: PaymentOfAccountData; zone: string }) {
  const created = Date.parse(payment.created_at);
  if (payment.status === "pending") return <>sent to the bank {agoText(created, second.value)}</>;
  return <>{momentText(zone, created, minute.value)}</>;
}
