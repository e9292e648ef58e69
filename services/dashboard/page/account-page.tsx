import { useComputed } from "@preact/signals";
import { NoAccess } from "../access/no-access.tsx";
import { BalanceCard } from "../account/balance-card.tsx";
import { BudgetsCard } from "../account/budgets-card.tsx";
import { PaymentsCard } from "../account/payments-card.tsx";
import { SettingsCard } from "../account/settings-card.tsx";
import { ActivityCard } from "../activity/activity-card.tsx";
import { LineCard } from "../line/line-card.tsx";
import { SpendCard } from "../spend/spend-card.tsx";
import { UsageDialog } from "../spend/usage-dialog.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { ConnectionNote } from "./connection-note.tsx";

/** The page of one account. */
export function AccountPage({ open }: { open: OpenAccount }) {
  const isRefused = useComputed(() => open.live.value.connection === "refused");
  const { value: account, problem } = open.account.state.value;
  if (account === null && (problem?.status === 403 || problem?.status === 404)) {
    return <NoAccess reason="none" />;
  }
  if (isRefused.value) return <NoAccess reason="expired" />;
  if (account === null && problem !== null) {
    return (
      <main class="page narrow">
        <section class="card">
          <h1 class="title">Your credits cannot be shown right now</h1>
          <p class="note">{problem.message}</p>
          <button type="button" class="button" onClick={() => void open.account.reload()}>
            Try again
          </button>
        </section>
      </main>
    );
  }
  const zone = account?.time_zone ?? "UTC";
  return (
    <main class="page">
      <header class="top">
        <h1>
          {account?.account_id ?? "Your account"} <span class="soft">· credits</span>
        </h1>
        <ConnectionNote live={open.live} zone={zone} />
      </header>
      <div class="pair-of-cards">
        <BalanceCard open={open} />
        <SettingsCard open={open} />
      </div>
      <LineCard open={open} zone={zone} />
      <SpendCard open={open} zone={zone} />
      <BudgetsCard open={open} zone={zone} />
      <div class="pair-of-cards swapped">
        <PaymentsCard open={open} zone={zone} />
        <ActivityCard open={open} zone={zone} />
      </div>
      <footer class="note">All times are in {zone}.</footer>
      <UsageDialog open={open} zone={zone} />
    </main>
  );
}
