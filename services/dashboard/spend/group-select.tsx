import { useComputed } from "@preact/signals";
import { dimensionsOffered, groupingOf, optionOf } from "../state/grouping.ts";
import type { OpenAccount } from "../state/open-account.ts";
import { dimensionName } from "../text/display-names.ts";

/** The most recent records whose dimensions are offered. */
const RECENT = 200;

/** Selects the grouping. */
export function GroupSelect({ open }: { open: OpenAccount }) {
  const { grouping } = open.spend;
  const dimensions = useComputed(() => {
    const items = open.records.state.value.value?.items ?? [];
    const seen = items.slice(0, RECENT).flatMap((record) => Object.keys(record.dimensions));
    return dimensionsOffered(open.names.state.value.value ?? [], seen, grouping.value);
  });
  return (
    <label class="select">
      <span>by</span>
      <select
        value={optionOf(grouping.value)}
        onChange={({ currentTarget }) => (grouping.value = groupingOf(currentTarget.value))}
      >
        <option value="meter">meter</option>
        <option value="source">source</option>
        {dimensions.value.map((dimension) => (
          <option key={dimension} value={optionOf({ group: "dimension", dimension })}>
            {dimensionName(dimension)}
          </option>
        ))}
      </select>
    </label>
  );
}
