import { useSignal } from "@preact/signals";
import { usableOf } from "../../../shared/core/line/available.ts";
import { second } from "../live/clock.ts";
import type { LiveLine } from "../live/live-state.ts";
import { Card, Content } from "../parts/card.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { type LotOnLine, lotName } from "../state/lot-on-line.ts";
import type { OpenAccount } from "../state/open-account.ts";
import { countText, shortCredits } from "../text/credit-text.ts";
import { LinePicture } from "./line-picture.tsx";

/** The number of used-up lots that are drawn by default. */
const USED_UP_SHOWN = 1;
/** The number of lots that are listed by default. */
const LISTED = 8;

/** The account's credit line as a picture. */
export function LineCard({ open, zone }: { open: OpenAccount; zone: string }) {
  const showsAll = useSignal(false);
  const isUnfolded = useSignal(false);
  const { line } = open.live.value;
  const lots = open.lots.state.value;
  const visible = line === null ? null : lots.value;
  const hidden = line === null || lots.value === null ? 0 : hiddenOf(lots.value, line);
  const drawn = visible === null || showsAll.value ? visible : visible.slice(hidden);
  const choose = (lot: LotOnLine): void => {
    open.opened.value = {
      title: lotName(lot, zone),
      note: "What these credits paid for, oldest first.",
      load: (cursor) => open.api.lotUsage(lot.lotId, cursor),
      csv: open.api.csv.lotUsage(lot.lotId),
    };
  };
  return (
    <Card
      title="Your credit line, oldest first"
      side={
        line !== null &&
        visible !== null &&
        visible.length > 0 && <Summary lots={visible} line={line} />
      }
    >
      <Content of={{ ...lots, value: drawn }} again={() => void open.lots.reload()} lines={4}>
        {(shown) =>
          line !== null && (
            <>
              <LinePicture
                lots={shown}
                line={line}
                zone={zone}
                choose={choose}
                most={isUnfolded.value ? shown.length : LISTED}
              />
              <div class="foot">
                {shown.length > LISTED && (
                  <button
                    type="button"
                    class="link"
                    onClick={() => (isUnfolded.value = !isUnfolded.value)}
                  >
                    {isUnfolded.value
                      ? `Show the first ${LISTED}`
                      : `Show all ${countText(BigInt(shown.length))}`}
                  </button>
                )}
                {hidden > 0 && (
                  <button
                    type="button"
                    class="link"
                    onClick={() => (showsAll.value = !showsAll.value)}
                  >
                    {showsAll.value
                      ? "Hide used-up credits"
                      : `Show ${countText(BigInt(hidden))} more, used up`}
                  </button>
                )}
                {shown.length > 0 && (
                  <ExportCsv what="the credit line" load={open.api.csv.lots()} />
                )}
              </div>
            </>
          )
        }
      </Content>
    </Card>
  );
}

/** The number of used-up lots that are not drawn by default. */
function hiddenOf(lots: readonly LotOnLine[], { position }: LiveLine): number {
  const usedUp = lots.filter((lot) => usableOf(lot, position, second.value) === 0n).length;
  return Math.max(0, usedUp - USED_UP_SHOWN);
}

function Summary({ lots, line }: { lots: readonly LotOnLine[]; line: LiveLine }) {
  const size = lots.reduce((sum, { start, end }) => sum + end - start, 0n);
  const left = lots.reduce((sum, lot) => sum + usableOf(lot, line.position, second.value), 0n);
  return (
    <p class="note">
      {shortCredits(size - left)} of {shortCredits(size)} used
    </p>
  );
}
