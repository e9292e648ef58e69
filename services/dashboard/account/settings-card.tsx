import { useSignal } from "@preact/signals";
import type { AccountData } from "../../../shared/contract/account.ts";
import { minute } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { consentText, monthText, noMethodText } from "../text/auto-top-up-text.ts";
import { exactCredits, moneyText } from "../text/credit-text.ts";
import { planName } from "../text/display-names.ts";
import { firstMonthText, waitingText } from "../text/plan-text.ts";
import { dateText, momentText } from "../text/time-text.ts";
import { AddOns } from "./add-ons.tsx";
import { AutoTopUpDialog } from "./auto-top-up-dialog.tsx";

/** The account's auto top-up, next credits, plan and add-ons. */
export function SettingsCard({ open }: { open: OpenAccount }) {
  const isChanging = useSignal(false);
  return (
    <Card title="Plan and auto top-up">
      <Content of={open.account.state.value} again={() => void open.account.reload()} lines={4}>
        {(account) => (
          <>
            <dl class="pairs">
              <AutoTopUp
                account={account}
                change={open.readOnly ? null : () => (isChanging.value = true)}
              />
              <Subscription account={account} />
              <AddOns addOns={account.add_ons} />
            </dl>
            {isChanging.value && (
              <AutoTopUpDialog
                open={open}
                account={account}
                close={() => (isChanging.value = false)}
              />
            )}
          </>
        )}
      </Content>
    </Card>
  );
}

function AutoTopUp({ account, change }: { account: AccountData; change: (() => void) | null }) {
  const { auto_top_up: auto, time_zone: zone, currency } = account;
  const paused = auto.paused_until === null ? null : Date.parse(auto.paused_until);
  const isPaused = paused !== null && paused > minute.value;
  const noMethod = noMethodText(account.payment_method.set, auto.stopped);
  return (
    <div>
      <dt>Auto top-up</dt>
      <dd>
        {auto.enabled ? (
          <>
            <b class={auto.stopped === null ? "" : "bad"}>
              {auto.stopped === null ? "on" : "stopped"}
            </b>
            , {moneyText(BigInt(auto.amount), currency)} at{" "}
            {exactCredits(BigInt(account.threshold))} credits
          </>
        ) : (
          <b>off</b>
        )}
        {change !== null && (
          <>
            {"\u00a0· "}
            <button type="button" class="link" onClick={change} aria-label="Change auto top-up">
              change
            </button>
          </>
        )}
        {auto.stopped !== null && <span class="note bad">{auto.stopped}</span>}
        {auto.enabled && (
          <>
            <span class="note">{monthText(auto)}</span>
            <span class="note">{consentText(auto.consent, zone, minute.value)}</span>
          </>
        )}
        {isPaused && auto.stopped === null && (
          <span class="note warn">paused until {momentText(zone, paused, minute.value)}</span>
        )}
        {auto.waits_for_need && <span class="note">waits until credits are needed</span>}
        {noMethod !== null && <span class="note warn">{noMethod}</span>}
      </dd>
    </div>
  );
}

function Subscription({ account }: { account: AccountData }) {
  const { subscription, open_fees: fees, time_zone: zone } = account;
  if (subscription === null) {
    return (
      <div>
        <dt>Plan</dt>
        <dd>none</dd>
      </div>
    );
  }
  const { next_credits: next, next_period_at: nextAt } = subscription;
  const waiting = waitingText(fees);
  const firstMonth = firstMonthText(subscription);
  return (
    <>
      <div>
        <dt>Next credits</dt>
        <dd>
          {next === null ? (
            "none"
          ) : (
            <>
              <b>{exactCredits(BigInt(next))}</b> on{" "}
              {dateText(zone, Date.parse(nextAt), minute.value)}
            </>
          )}
          {waiting !== null && <span class="note warn">{waiting}</span>}
          {subscription.suspended && <span class="note bad">suspended until the plan is paid</span>}
        </dd>
      </div>
      <div>
        <dt>Plan</dt>
        <dd>
          {planName(subscription.plan_id)}, paid{" "}
          {subscription.interval === "year" ? "yearly" : "monthly"}
          {subscription.cancelled && (
            <span class="note warn">
              {next === null
                ? `cancelled: ends on ${dateText(zone, Date.parse(nextAt), minute.value)}`
                : "cancelled: credits continue until the end of the paid period"}
            </span>
          )}
          {firstMonth !== null && <span class="note">{firstMonth}</span>}
          {nextPlan(subscription.next_plan_id, subscription.next_interval)}
        </dd>
      </div>
    </>
  );
}

function nextPlan(planId: string | null, interval: "month" | "year" | null) {
  if (planId === null && interval === null) return null;
  const paid = interval === null ? "" : `paid ${interval === "year" ? "yearly" : "monthly"}`;
  return (
    <span class="note">then {[planId && planName(planId), paid].filter(Boolean).join(", ")}</span>
  );
}
