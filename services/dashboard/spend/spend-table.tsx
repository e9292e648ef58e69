import type { Grouping } from "../api/account-api.ts";
import { ratio } from "../line/lay-out-line.ts";
import { colourOf, type Spend, type SpendRow } from "../state/spend.ts";
import { countText, exactCredits, shareText, shortCredits } from "../text/credit-text.ts";
import { addOnOf, groupName, keyName, quantityText } from "../text/meter-text.ts";

interface SpendTableProps {
  readonly spend: Spend;
  readonly group: Grouping;
  /** Shows the usage of a key; null if the API cannot filter by it. */
  readonly choose: ((key: string) => void) | null;
}

/** What the credits were spent on, largest first, in the colours of the bars. */
export function SpendTable({ spend, group, choose }: SpendTableProps) {
  return (
    <table class="spent-on">
      <caption class="unseen">What the credits were spent on</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">{groupName(group)}</th>
          <th scope="col">Credits</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {spend.rows.map((row, i) => (
          <tr key={row.key}>
            <th scope="row">
              {choose === null || addOnOf(row.key) !== null ? (
                keyName(row.key, group)
              ) : (
                <button type="button" class="link plain" onClick={() => choose(row.key)}>
                  {keyName(row.key, group)}
                </button>
              )}
              <span class="note">{countsText(row)}</span>
              <span class="track" aria-hidden="true">
                <span
                  class="fill"
                  style={{
                    width: `${ratio(row.credits, spend.total) * 100}%`,
                    background: colourOf(i),
                  }}
                />
              </span>
            </th>
            <td class="number" title={exactCredits(row.credits)}>
              {shortCredits(row.credits)}
            </td>
            <td class="number soft">{shareText(row.credits, spend.total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** "40 queries in 3 events", "2 units in 1 charge" */
function countsText(row: SpendRow): string {
  const counted = addOnOf(row.key) === null ? "event" : "charge";
  const total = totalText(row);
  const start = total === null ? "" : `${total} in `;
  return `${start}${countText(row.events)} ${counted}${row.events === 1n ? "" : "s"}`;
}

/** Only meters and add-ons have a quantity. */
function totalText({ key, quantity }: SpendRow): string | null {
  if (quantity === null) return null;
  if (addOnOf(key) === null) return quantityText(key, quantity);
  return `${countText(quantity)} ${quantity === 1n ? "unit" : "units"}`;
}
