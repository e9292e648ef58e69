import { useState } from "preact/hooks";
import type { ExplainedUsageData, UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { minute } from "../live/clock.ts";
import { type Resource, resource } from "../live/resource.ts";
import { Content } from "../parts/card.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { exactCredits } from "../text/credit-text.ts";
import { meterName } from "../text/display-names.ts";
import { originText, quantityText, usageText } from "../text/meter-text.ts";
import { dateText, secondText } from "../text/time-text.ts";
import { paidByTexts } from "./paid-by-text.ts";

interface RecordRowProps {
  readonly record: UsageRecordData;
  readonly open: OpenAccount;
  readonly zone: string;
}

/** A usage event as a row, which expands to the lots that paid for it. */
export function RecordRow({ record, open, zone }: RecordRowProps) {
  const [explained, setExplained] = useState<Resource<ExplainedUsageData> | null>(null);
  const at = Date.parse(record.occurred_at);
  const toggle = (): void => {
    if (explained !== null) {
      setExplained(null);
      return;
    }
    // The page behind, which keeps loading, handles a refused token.
    const read = resource(
      () => open.api.explain(record.event_id, record.source),
      () => undefined,
    );
    void read.reload();
    setExplained(read);
  };
  return (
    <>
      <tr class="record">
        <td>
          {dateText(zone, at, minute.value)}, {secondText(zone, at)}
        </td>
        <td>
          <button
            type="button"
            class="link plain over-row"
            aria-expanded={explained !== null}
            onClick={toggle}
          >
            {meterName(record.meter)}
          </button>
        </td>
        <td class="soft">{originText(record)}</td>
        <td class="number">{quantityText(record.meter, BigInt(record.quantity))}</td>
        <td class="number">{exactCredits(BigInt(record.credits))}</td>
      </tr>
      {explained !== null && (
        <tr class="explained">
          <td colSpan={5}>
            <Content of={explained.state.value} again={() => void explained.reload()} lines={1}>
              {(read) => <PaidBy read={read} open={open} zone={zone} />}
            </Content>
          </td>
        </tr>
      )}
    </>
  );
}

/** The meters of an event that has several: "Input, 40 tokens; Output, 8 tokens". */
function wholeText({ lines }: ExplainedUsageData): string {
  return lines.map(usageText).join("; ");
}

interface PaidByProps {
  readonly read: ExplainedUsageData;
  readonly open: OpenAccount;
  readonly zone: string;
}

function PaidBy({ read, open, zone }: PaidByProps) {
  const lots = open.lots.state.value.value ?? [];
  return (
    <ul class="paid-by" aria-label="Paid by" aria-live="polite">
      {paidByTexts(read, lots, zone).map(({ key, credits, from }) => (
        <li key={key}>
          <b>{credits}</b> {from}
        </li>
      ))}
      <li class="note">
        event {read.event_id}
        {read.lines.length > 1 &&
          `, ${exactCredits(BigInt(read.credits))} credits for ${wholeText(read)}`}
      </li>
    </ul>
  );
}
