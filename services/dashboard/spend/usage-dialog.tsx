import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { recordKey } from "../api/account-api.ts";
import { type Listed, type PagedList, pagedList } from "../live/paged-list.ts";
import { Content } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { More } from "../parts/more.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import type { OpenedUsage } from "../state/spend-state.ts";
import { countText, shortCredits } from "../text/credit-text.ts";
import { RecordRow } from "./record-row.tsx";

/** The usage of the selected lot, bar or meter. */
export function UsageDialog({ open, zone }: { open: OpenAccount; zone: string }) {
  const { value } = open.opened;
  if (value === null) return null;
  return <Opened open={open} opened={value} zone={zone} />;
}

interface OpenedProps {
  readonly open: OpenAccount;
  readonly opened: OpenedUsage;
  readonly zone: string;
}

function Opened({ open, opened, zone }: OpenedProps) {
  const past = useSignal(0n);
  const list = useMemo(() => {
    const load = async (cursor: string | null) => {
      const page = await opened.load(cursor);
      past.value = "past_retention" in page ? BigInt(page.past_retention) : 0n;
      return page;
    };
    // The page behind, which keeps loading, handles a refused token.
    const read = pagedList(load, recordKey, () => undefined);
    void read.reload();
    return read;
  }, [opened, past]);
  return (
    <Dialog title={opened.title} close={() => (open.opened.value = null)} wide>
      <p class="note">{opened.note} Select an event to see which credits paid for it.</p>
      {past.value > 0n && (
        <p class="note">
          {shortCredits(past.value)} credits paid for earlier usage, whose single events are no
          longer kept.
        </p>
      )}
      <Content of={list.state.value} again={() => void list.reload()} lines={8}>
        {(shown) => <Records open={open} shown={shown} list={list} zone={zone} opened={opened} />}
      </Content>
    </Dialog>
  );
}

interface RecordsProps {
  readonly open: OpenAccount;
  readonly shown: Listed<UsageRecordData>;
  readonly list: PagedList<UsageRecordData>;
  readonly zone: string;
  readonly opened: OpenedUsage;
}

function Records({ open, shown: { items, next }, list, zone, opened }: RecordsProps) {
  if (items.length === 0) return <p class="empty">No usage to show.</p>;
  return (
    <>
      <table class="records">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Meter</th>
            <th scope="col">From</th>
            <th scope="col" class="number">
              Quantity
            </th>
            <th scope="col" class="number">
              Credits
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((record) => (
            <RecordRow key={recordKey(record)} record={record} open={open} zone={zone} />
          ))}
        </tbody>
      </table>
      <div class="foot">
        <p class="note" role="status">
          {countText(BigInt(items.length))} {next === null ? "in total" : "so far"}
        </p>
        <More list={list} what="usage" />
        <ExportCsv what="this usage" load={opened.csv} />
      </div>
    </>
  );
}
