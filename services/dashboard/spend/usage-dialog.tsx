import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { RECORD_COLUMNS, recordCells } from "../activity/activity-csv.ts";
import type { RecordData } from "../api/account-data.ts";
import { minute } from "../live/clock.ts";
import { type Listed, type PagedList, pagedList } from "../live/paged-list.ts";
import { Content } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { More } from "../parts/more.tsx";
import { countText, exactCredits } from "../text/credit-text.ts";
import { meterName, originText } from "../text/meter-text.ts";
import { dateText, secondText } from "../text/time-text.ts";
import type { OpenedUsage } from "./spend-state.ts";

/** The usage behind a stretch or a bar, when one was chosen. */
export function UsageDialog({
  opened,
  zone,
}: {
  opened: Signal<OpenedUsage | null>;
  zone: string;
}) {
  const { value } = opened;
  if (value === null) return null;
  return <Opened opened={value} zone={zone} close={() => (opened.value = null)} />;
}

interface OpenedProps {
  readonly opened: OpenedUsage;
  readonly zone: string;
  readonly close: () => void;
}

function Opened({ opened, zone, close }: OpenedProps) {
  const list = useMemo(() => {
    // A token that is refused shows in the page behind, which reads all the time.
    const read = pagedList(
      opened.load,
      ({ event_id }) => event_id,
      () => undefined,
    );
    void read.reload();
    return read;
  }, [opened]);
  return (
    <Dialog title={opened.title} close={close} wide>
      <p class="note">{opened.note}</p>
      <Content of={list.state.value} again={() => void list.reload()} lines={8}>
        {(shown) => <Records shown={shown} list={list} zone={zone} file={opened.file} />}
      </Content>
    </Dialog>
  );
}

interface RecordsProps {
  readonly shown: Listed<RecordData>;
  readonly list: PagedList<RecordData>;
  readonly zone: string;
  readonly file: string;
}

function Records({ shown: { items, next }, list, zone, file }: RecordsProps) {
  if (items.length === 0) return <p class="empty">No usage is behind this.</p>;
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
            <tr key={record.event_id}>
              <td>
                {dateText(zone, Date.parse(record.occurred_at), minute.value)},{" "}
                {secondText(zone, Date.parse(record.occurred_at))}
              </td>
              <td>{meterName(record.meter)}</td>
              <td class="soft">{originText(record)}</td>
              <td class="number">{countText(BigInt(record.quantity))}</td>
              <td class="number">{exactCredits(BigInt(record.credits))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="foot">
        <p class="note" role="status">
          {items.length} {next === null ? "in all" : "so far"}
        </p>
        <More list={list} what="usage" />
        <ExportCsv
          what="this usage"
          file={file}
          columns={RECORD_COLUMNS}
          rows={() => items.map(recordCells)}
        />
      </div>
    </>
  );
}
