import { minute } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import { Choice } from "../parts/choice.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { type SpendBar, usageOf } from "../state/spend.ts";
import { RANGES } from "../state/spend-range.ts";
import type { ShownSpend } from "../state/spend-state.ts";
import { shortCredits } from "../text/credit-text.ts";
import { meterName } from "../text/display-names.ts";
import { groupName } from "../text/meter-text.ts";
import { momentText, weekdayText } from "../text/time-text.ts";
import { GroupSelect } from "./group-select.tsx";
import { SpendChart } from "./spend-chart.tsx";
import { SpendTable } from "./spend-table.tsx";

/** Spend over time, by group. */
export function SpendCard({ open, zone }: { open: OpenAccount; zone: string }) {
  const { range, spend } = open.spend;
  return (
    <Card
      title="Spent"
      side={
        <div class="choices">
          <GroupSelect open={open} />
          <Choice
            label="Range"
            options={RANGES}
            chosen={range.value}
            choose={(name) => (range.value = name)}
          />
        </div>
      }
    >
      <Content of={spend.state.value} again={() => void spend.reload()} lines={9}>
        {(shown) => <Spent open={open} shown={shown} zone={zone} />}
      </Content>
    </Card>
  );
}

function Spent({ open, shown, zone }: { open: OpenAccount; shown: ShownSpend; zone: string }) {
  const span = shown.name === "24 h" ? "24 hours" : shown.name;
  if (shown.rows.length === 0) return <p class="empty">Nothing was spent in the last {span}.</p>;
  const barTitle = (bar: SpendBar): string =>
    shown.by === "hour"
      ? momentText(zone, bar.from, minute.value)
      : weekdayText(zone, bar.from, minute.value);
  const chooseBar = (bar: SpendBar): void => {
    open.opened.value = {
      title: `Usage, ${barTitle(bar)}`,
      note: `${shortCredits(usageOf(bar))} credits in this ${shown.by}, newest first.`,
      load: (cursor) => open.api.records(cursor, bar, null),
      csv: open.api.csv.records(bar, null),
    };
  };
  const chooseMeter = (meter: string): void => {
    open.opened.value = {
      title: `Usage of ${meterName(meter)}`,
      note: `${shown.name}, newest first.`,
      load: (cursor) => open.api.records(cursor, shown.range, meter),
      csv: open.api.csv.records(shown.range, meter),
    };
  };
  return (
    <>
      <p class="sum">
        <b>{shortCredits(shown.total)}</b>{" "}
        <span class="soft">
          credits in the last {span}, by {groupName(shown.grouping)}
        </span>
      </p>
      <div class="spent">
        <SpendChart spend={shown} zone={zone} titleOf={barTitle} choose={chooseBar} />
        <SpendTable
          spend={shown}
          group={shown.grouping}
          choose={shown.grouping.group === "meter" ? chooseMeter : null}
        />
      </div>
      <div class="foot">
        <ExportCsv what="spend" load={open.api.csv.usage(shown.range, shown.by, shown.grouping)} />
      </div>
    </>
  );
}
