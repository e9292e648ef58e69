import { useSignal } from "@preact/signals";
import { recordKey } from "../api/account-api.ts";
import { minute } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import { Choice } from "../parts/choice.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { exactCredits, signedCredits } from "../text/credit-text.ts";
import { entryText } from "../text/entry-text.ts";
import { originText, usageText } from "../text/meter-text.ts";
import { momentText } from "../text/time-text.ts";
import { type Activity, type Merged, mergeActivity } from "./merge-activity.ts";

const DAY_MS = 86_400_000;
/** The list shows usage of as many days. */
const EXPORTED_DAYS = 30;
const FIRST_SHOWN = 7;
const MORE_SHOWN = 40;

const SHOWN = ["all", "usage", "credits"] as const;
type Shown = (typeof SHOWN)[number];

/** Usage and entries, newest first. */
export function ActivityCard({ open, zone }: { open: OpenAccount; zone: string }) {
  const shown = useSignal<Shown>("all");
  const records = open.records.state.value;
  const entries = open.entries.state.value;
  const isLoaded = records.value !== null && entries.value !== null;
  const merged = mergeActivity(
    shown.value === "credits" ? null : records.value,
    shown.value === "usage" ? null : entries.value,
  );
  const again = (): void => {
    void open.records.reload();
    void open.entries.reload();
  };
  return (
    <Card
      title="Activity"
      side={
        <Choice
          label="Show"
          options={SHOWN}
          chosen={shown.value}
          choose={(option) => (shown.value = option)}
        />
      }
    >
      <Content
        of={{
          value: isLoaded ? merged : null,
          problem: records.problem ?? entries.problem,
          loading: false,
        }}
        again={again}
        lines={8}
      >
        {(read) => <List open={open} merged={read} zone={zone} shown={shown.value} />}
      </Content>
    </Card>
  );
}

interface ListProps {
  readonly open: OpenAccount;
  readonly merged: Merged;
  readonly zone: string;
  readonly shown: Shown;
}

function List({ open, merged, zone, shown }: ListProps) {
  const most = useSignal(FIRST_SHOWN);
  const range = { from: minute.value - EXPORTED_DAYS * DAY_MS, to: minute.value + 60_000 };
  if (merged.items.length === 0) return <p class="empty">No activity yet.</p>;
  const items = merged.items.slice(0, most.value);
  const showMore = (): void => {
    most.value += MORE_SHOWN;
    if (merged.items.length >= most.value) return;
    if (merged.more === "usage") void open.records.more();
    if (merged.more === "entry") void open.entries.more();
  };
  return (
    <>
      <ul class="rows" aria-label="Activity">
        {items.map((activity) => (
          <Row key={keyOf(activity)} activity={activity} zone={zone} />
        ))}
      </ul>
      <div class="foot">
        {(merged.more !== null || items.length < merged.items.length) && (
          <button type="button" class="more" onClick={showMore}>
            Show more
          </button>
        )}
        {shown !== "credits" && (
          <ExportCsv
            what={`usage of ${EXPORTED_DAYS} days`}
            label={`Export ${EXPORTED_DAYS} days of usage`}
            load={open.api.csv.records(range, null)}
          />
        )}
        {shown !== "usage" && (
          <ExportCsv
            what={`credits of ${EXPORTED_DAYS} days`}
            label={`Export ${EXPORTED_DAYS} days of credits`}
            load={open.api.csv.entries(range)}
          />
        )}
      </div>
    </>
  );
}

function Row({ activity, zone }: { activity: Activity; zone: string }) {
  const when = momentText(zone, activity.at, minute.value);
  if (activity.kind === "usage") {
    const { record } = activity;
    return (
      <li class="row">
        <div>
          {usageText(record)}
          <p class="note">
            {when}
            {originText(record) !== "" && ` · ${originText(record)}`}
          </p>
        </div>
        <div class="number">{signedCredits(-BigInt(record.credits))}</div>
      </li>
    );
  }
  const credits = BigInt(activity.entry.credits);
  return (
    <li class="row">
      <div>
        {entryText(activity.entry)}
        <p class="note">{when}</p>
      </div>
      <div class={`number ${credits > 0n ? "good" : ""}`}>
        {signedCredits(credits)}
        <p class="note">{exactCredits(BigInt(activity.entry.balance))} left</p>
      </div>
    </li>
  );
}

function keyOf(activity: Activity): string {
  return activity.kind === "usage"
    ? `usage ${recordKey(activity.record)}`
    : `entry ${activity.entry.sequence}`;
}
