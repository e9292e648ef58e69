import type { Instant } from "../../core/line/account.ts";
import type { DrawnColumns, DrawnStretch } from "../../core/usage/draw-columns.ts";
import {
  eventAt,
  eventIdAt,
  holdIdAt,
  ID_BYTES,
  NO_DIMENSIONS,
} from "../../core/usage/usage-columns.ts";
import { type HoldsUsed, usedOf } from "../holds/take-usage.ts";
import type { RowWriter } from "../postgres/insert-rows.ts";
import type { EventKeys } from "./event-key.ts";
import type { PageHolds, PageRow } from "./page-row.ts";
import { dimensionsJson, MOST_APART_MS, MOST_LINES } from "./pages.ts";
import type { NewIdentities } from "./write-identities.ts";

/** By which transaction events were drawn. */
interface DrawnBy {
  readonly meteredAt: Instant;
  readonly holdsUsed: HoldsUsed | null;
}

/** Divides what accounts drew into pages, as `pagesOf` divides single events. */
export function columnPages(drawn: DrawnColumns, { meteredAt, holdsUsed }: DrawnBy): ColumnPage[] {
  const pages: ColumnPage[] = [];
  for (const stretch of drawn.stretches) {
    const used = usedOf(holdsUsed, stretch.account.accountId);
    let { from, start } = stretch;
    while (from < stretch.to) {
      const page = new ColumnPage(drawn, stretch, { from, start, meteredAt, used });
      pages.push(page);
      from += page.count;
      start = page.end;
    }
  }
  return pages;
}

/** The identities of the events on pages. */
export function identitiesOfColumns(
  { columns, order, events }: DrawnColumns,
  pages: readonly ColumnPage[],
  keys: EventKeys,
): NewIdentities {
  const starts = new Float64Array(columns.count);
  const versions = new BigInt64Array(columns.count);
  const places = new Int32Array(events);
  let next = 0;
  for (const { from, count, start, version } of pages) {
    for (let index = from; index < from + count; index += 1) {
      const place = order[index] ?? 0;
      if (columns.goesOn[place] === 1) continue;
      starts[place] = start;
      versions[place] = version;
      places[next++] = place;
    }
  }
  return { keys, places, starts, versions, identityAt: (place) => eventAt(columns, place) };
}

/** A page that is written from columns: as many whole events of a stretch, from `from` on, as fit on it. */
export class ColumnPage implements PageRow {
  readonly from: number;
  readonly count: number;
  readonly start: number;
  readonly end: number;
  readonly accountId: string;
  readonly version: bigint;
  readonly place: number;
  readonly meteredAt: Instant;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  readonly uneven = null;
  readonly #drawn: DrawnColumns;
  readonly #used: ReadonlySet<string> | null;

  constructor(
    drawn: DrawnColumns,
    stretch: DrawnStretch,
    {
      from,
      start,
      meteredAt,
      used,
    }: Pick<ColumnPage, "from" | "start" | "meteredAt"> & Pick<PageHolds, "used">,
  ) {
    const { order, credits, columns } = drawn;
    let last = Math.min(stretch.to, from + MOST_LINES);
    // An event that would go on behind the page begins the next one.
    while (last < stretch.to && columns.goesOn[order[last] ?? 0] === 1) last -= 1;
    let firstAt = Number.POSITIVE_INFINITY;
    let lastAt = Number.NEGATIVE_INFINITY;
    let end = start;
    let to = from;
    for (; to < last; to += 1) {
      const at = columns.occurredAt[order[to] ?? 0] ?? 0;
      const [first, latest] = [Math.min(firstAt, at), Math.max(lastAt, at)];
      if (latest - first > MOST_APART_MS) break;
      [firstAt, lastAt] = [first, latest];
      end += credits[to] ?? 0;
    }
    this.#drawn = drawn;
    this.#used = used;
    this.from = from;
    this.count = to - from;
    this.start = start;
    this.end = end;
    this.accountId = stretch.account.accountId;
    this.version = stretch.account.version + 1n;
    this.place = from - stretch.from;
    this.meteredAt = meteredAt;
    this.firstAt = firstAt;
    this.lastAt = lastAt;
  }

  get holds(): PageHolds | null {
    const { columns } = this.#drawn;
    if (!columns.isAnyHold) return null;
    return { at: (index) => holdIdAt(columns, this.#place(index)), used: this.#used };
  }

  putIds(rows: RowWriter): void {
    const { columns } = this.#drawn;
    const { idTexts } = columns;
    if (idTexts.size === 0 || !this.#someAt((place) => idTexts.has(place))) {
      rows.uuidBytesArray(this.count, columns.ids, (index) => this.#place(index) * ID_BYTES);
      rows.null();
    } else {
      rows.null();
      rows.textArray(this.count, (index) => eventIdAt(columns, this.#place(index)));
    }
  }

  meterAt(index: number): string {
    const { names, meter } = this.#drawn.columns;
    return names.meters.valueOf(meter[this.#place(index)] ?? -1);
  }

  sourceAt(index: number): string {
    const { names, source } = this.#drawn.columns;
    return names.sources.valueOf(source[this.#place(index)] ?? -1);
  }

  dimensionsAt(index: number): string | null {
    const { names, dimensions } = this.#drawn.columns;
    const number = dimensions[this.#place(index)] ?? -1;
    return number === NO_DIMENSIONS ? null : jsonOf(names.dimensions.valueOf(number));
  }

  quantityAt(index: number): number {
    return this.#drawn.columns.quantity[this.#place(index)] ?? 0;
  }

  occurredAtAt(index: number): Instant {
    return this.#drawn.columns.occurredAt[this.#place(index)] ?? 0;
  }

  creditsAt(index: number): number {
    return this.#drawn.credits[this.from + index] ?? 0;
  }

  partitionAt(index: number): number {
    return this.#drawn.columns.partition[this.#place(index)] ?? 0;
  }

  offsetAt(index: number): number {
    return this.#drawn.columns.offset[this.#place(index)] ?? 0;
  }

  #place(index: number): number {
    return this.#drawn.order[this.from + index] ?? 0;
  }

  #someAt(holds: (place: number) => boolean): boolean {
    for (let index = 0; index < this.count; index += 1) if (holds(this.#place(index))) return true;
    return false;
  }
}

/** The names of dimensions are the same objects again and again. */
const texts = new WeakMap<object, string | null>();

function jsonOf(dimensions: Readonly<Record<string, string>>): string | null {
  let text = texts.get(dimensions);
  if (text === undefined) {
    text = dimensionsJson(dimensions);
    texts.set(dimensions, text);
  }
  return text;
}
