import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { AccountData } from "../../../shared/contract/account.ts";
import { accountApi, budgetKey, recordKey } from "../api/account-api.ts";
import { followStream } from "../live/follow-stream.ts";
import {
  afterLine,
  afterNews,
  type LiveState,
  NOT_CONNECTED,
  type Stale,
} from "../live/live-state.ts";
import { pagedList } from "../live/paged-list.ts";
import { resource } from "../live/resource.ts";
import { throttle } from "../live/throttle.ts";
import { setNames } from "../text/display-names.ts";
import { lotOnLine } from "./lot-on-line.ts";
import { type OpenedUsage, spendState } from "./spend-state.ts";

/** The data of the account page, which updates itself. */
export type OpenAccount = Readonly<ReturnType<typeof openAccount>>;

/** While usage streams in, sums are reloaded at most this often. */
const USAGE_EVERY_MS = 4000;
const LISTS_EVERY_MS = 500;
/** A new hour or day begins without an event. */
const AGAIN_EVERY_MS = 300_000;

/** A token and what it opens. */
interface AccountAccess {
  readonly token: string;
  readonly accountId: string;
  /** The server refuses every change, so the page offers none. */
  readonly readOnly: boolean;
}

/** Loads an account and follows it as long as the page is open. */
export function openAccount({ token, accountId, readOnly }: AccountAccess) {
  const api = accountApi(token, accountId);
  const live = signal(NOT_CONNECTED);
  const stop = new AbortController();
  const refused = (): void => {
    stop.abort();
    live.value = { ...live.value, connection: "refused" };
  };

  const account = resource(() => api.account(), refused);
  const zone = computed(() => account.state.value.value?.time_zone ?? null);
  const shown: ReadonlySignal<LiveState> = live;
  const open = {
    api,
    accountId,
    readOnly,
    live: shown,
    account,
    /** The dimensions that prices depend on; names are shown from where they are set. */
    names: resource(async () => {
      const names = await api.names();
      setNames(names);
      return names.price_dimensions;
    }, refused),
    lots: resource(async () => (await api.lots()).items.map(lotOnLine), refused),
    runway: resource(() => api.runway(), refused),
    payments: pagedList(
      (cursor) => api.payments(cursor),
      ({ payment_id }) => payment_id,
      refused,
    ),
    entries: pagedList(
      (cursor) => api.entries(cursor),
      ({ sequence }) => String(sequence),
      refused,
    ),
    records: pagedList((cursor) => api.records(cursor, null, null), recordKey, refused),
    budgets: pagedList((cursor) => api.budgets(cursor), budgetKey, refused),
    spend: spendState(api, zone, refused),
    /** The usage shown in the dialog. */
    opened: signal<OpenedUsage | null>(null),
  };

  effect(() => {
    const read = account.state.value.value;
    if (read !== null) live.value = afterLine(live.peek(), lineOf(read));
  });
  const reload = reloaders(open);
  void followStream(
    api.streamPath,
    token,
    (news) => {
      const { state, stale } = afterNews(live.peek(), news, Date.now());
      live.value = state;
      for (const part of stale) reload[part]();
    },
    stop.signal,
  );
  for (const read of Object.values(reload)) read();
  setInterval(reload.usage, AGAIN_EVERY_MS);
  // A hidden page does not reload; catch up when it becomes visible.
  document.addEventListener("visibilitychange", reload.usage);
  return open;
}

function reloaders(open: OpenAccount): Readonly<Record<Stale, () => void>> {
  return {
    account: throttle(LISTS_EVERY_MS, () => {
      void open.account.reload();
      void open.names.reload();
      void open.runway.reload();
    }),
    lots: throttle(LISTS_EVERY_MS, () => void open.lots.reload()),
    entries: throttle(LISTS_EVERY_MS, () => void open.entries.reload()),
    payments: throttle(LISTS_EVERY_MS, () => void open.payments.reload()),
    budgets: throttle(LISTS_EVERY_MS, () => void open.budgets.reload()),
    usage: throttle(USAGE_EVERY_MS, () => {
      if (document.visibilityState === "hidden") return;
      void open.records.reload();
      void open.budgets.reload();
      void open.runway.reload();
      void open.spend.reload();
    }),
  };
}

function lineOf({ version, granted, position, held }: AccountData) {
  return {
    version: BigInt(version),
    granted: BigInt(granted),
    position: BigInt(position),
    held: BigInt(held),
    changedAt: null,
  };
}
