import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { PageData } from "../../../shared/contract/page.ts";
import type { UsageOfLotData, UsageRecordData } from "../../../shared/contract/usage-record.ts";
import type { AccountApi, Grouping, TimeRange } from "../api/account-api.ts";
import { resource } from "../live/resource.ts";
import { keepGrouping, keptGrouping } from "./grouping.ts";
import { addOnBucket, type Spend, spendOf } from "./spend.ts";
import { barsOf, type RangeName } from "./spend-range.ts";

/** Spend with its own selection, since the current one may have changed. */
export interface ShownSpend extends Spend {
  readonly name: RangeName;
  readonly by: "hour" | "day";
  readonly range: TimeRange;
  readonly grouping: Grouping;
}

/** A list of usage to show in the dialog. */
export interface OpenedUsage {
  readonly title: string;
  readonly note: string;
  /** With a lot's usage comes what it paid of usage that is past retention. */
  readonly load: (cursor: string | null) => Promise<PageData<UsageRecordData> | UsageOfLotData>;
  /** Loads all of it as a file. */
  readonly csv: ReturnType<AccountApi["csv"]["lots"]>;
}

/** The spend of an account, reloaded when the selection changes. It waits for the time zone. */
export function spendState(
  api: AccountApi,
  zone: ReadonlySignal<string | null>,
  refused: () => void,
) {
  // On a phone, thirty bars are too narrow to touch.
  const range = signal<RangeName>(matchMedia("(max-width: 720px)").matches ? "7 days" : "30 days");
  const grouping = signal(keptGrouping(api.accountId));
  effect(() => keepGrouping(api.accountId, grouping.value));
  const spend = resource(async (): Promise<ShownSpend> => {
    const name = range.peek();
    const chosen = grouping.peek();
    const bars = barsOf(name, zone.peek() ?? "UTC", Date.now());
    const { buckets, add_ons } = await api.usage(bars.range, bars.by, chosen);
    const all = [...buckets, ...add_ons.map(addOnBucket)];
    const read = spendOf(all, bars.starts, bars.range.to);
    return { ...read, name, by: bars.by, range: bars.range, grouping: chosen };
  }, refused);
  const reload = async (): Promise<void> => {
    if (zone.peek() !== null) await spend.reload();
  };
  effect(() => {
    // Reading both makes the effect run again when one of them changes.
    const isChosen = [range.value, grouping.value].length > 0;
    if (isChosen && zone.value !== null) void spend.reload();
  });
  return { range, grouping, spend, reload };
}
