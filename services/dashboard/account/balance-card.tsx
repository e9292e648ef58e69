import { availableAt } from "../../../shared/core/line/available.ts";
import { minute, second } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { balanceText, exactCredits, moneyText } from "../text/credit-text.ts";
import { runwayText } from "../text/runway-text.ts";
import { BalanceChange } from "./balance-change.tsx";

/** The balance in large type, and how long it lasts. */
export function BalanceCard({ open }: { open: OpenAccount }) {
  const { line, connection } = open.live.value;
  const { value: account } = open.account.state.value;
  const lots = open.lots.state.value.value ?? [];
  const balance = line === null ? null : availableAt(line, lots, second.value);
  const isDebt = balance !== null && balance < 0n;
  const isLow = balance !== null && account !== null && balance <= BigInt(account.threshold);
  return (
    <Card
      title={isDebt ? "Owed" : "Credits left"}
      class={`balance ${connection === "reconnecting" ? "stale" : ""}`}
      side={
        isDebt ? <span class="chip bad">in debt</span> : isLow && <span class="chip warn">low</span>
      }
    >
      {balance === null ? (
        <div class="big bone" role="status">
          <span class="unseen">Loading the balance</span>
        </div>
      ) : (
        <p
          class={`big ${isDebt ? "bad" : ""} ${sizeOf(balance)}`}
          title={`exactly ${exactCredits(isDebt ? -balance : balance)} credits`}
        >
          <data value={balance.toString()} data-testid="balance">
            {balanceText(isDebt ? -balance : balance)}
          </data>{" "}
          <span class="unit">credits</span> <BalanceChange balance={balance} />
        </p>
      )}
      <Held open={open} balance={balance} />
      <Runway open={open} />
      <OnTheWay open={open} />
    </Card>
  );
}

/** What is held of the balance, and what is available of it; nothing if nothing is held. */
function Held({ open, balance }: { open: OpenAccount; balance: bigint | null }) {
  const held = open.live.value.line?.held ?? 0n;
  if (balance === null || held === 0n) return null;
  return (
    <p class="note" data-testid="held">
      <b>{balanceText(balance - held)}</b> available; {balanceText(held)} set aside for usage under
      way
    </p>
  );
}

/** A long number is set smaller, so that it stays in one line. */
function sizeOf(balance: bigint): string {
  return balanceText(balance).length > 12 ? "long" : "";
}

/** Pending top-ups and the credits they will add. */
function OnTheWay({ open }: { open: OpenAccount }) {
  const items = open.payments.state.value.value?.items ?? [];
  const pending = items.filter(({ status }) => status === "pending");
  return (
    <div role="status">
      {pending.map(
        ({ payment_id, credits, amount, currency, automatic, reason }) =>
          credits !== null && (
            <p class="on-the-way" key={payment_id}>
              <span class="chip warn">pending</span> {exactCredits(BigInt(credits))} credits are on
              their way: {automatic ? "an automatic top-up" : "a top-up"} of{" "}
              {moneyText(BigInt(amount), currency)}
              {reason !== "" && <span class="note">{reason}</span>}
            </p>
          ),
      )}
    </div>
  );
}

function Runway({ open }: { open: OpenAccount }) {
  const zone = open.account.state.value.value?.time_zone;
  const { line } = open.live.value;
  const isNew = line?.granted === 0n && line.position === 0n;
  return (
    <Content of={open.runway.state.value} again={() => void open.runway.reload()} lines={2}>
      {(runway) => {
        if (zone === undefined) return null;
        const { before, until, after } = runwayText(runway, zone, minute.value, isNew);
        return (
          <p class="note runway">
            {before}
            <b>{until}</b>
            {after}
          </p>
        );
      }}
    </Content>
  );
}
