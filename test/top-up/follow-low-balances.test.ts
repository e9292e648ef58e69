/** The place among low balances moves once the accounts before it were looked at: a kill in between loses none. */
import { expect, test } from "vitest";
import { lowBalanceHandler } from "../../services/top-up/follow-low-balances.ts";
import type { MessageBatch } from "../../shared/kafka/consume/batch-forms.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";

test("the place is stored after every account was looked at", async () => {
  const { done, handle } = follow(async () => undefined);
  expect(await handle()).toBe(7n);
  expect(done).toEqual(["acme looked at", "globex looked at", "place 7"]);
});

test("while an account cannot be looked at, the place stays", async () => {
  const { done, handle } = follow(async (accountId) => {
    if (accountId === "globex") throw new Error("killed");
  });
  await expect(handle()).rejects.toThrow("killed");
  expect(done).toEqual(["acme looked at"]);
});

/** Low balances of acme and globex up to offset 6, and what is done about them, in order. */
function follow(look: (accountId: string) => Promise<void>) {
  const done: string[] = [];
  const query = async ({ values }: { readonly values: readonly unknown[] }) => {
    done.push(`place ${values.at(-1)}`);
  };
  const handler = lowBalanceHandler({
    database: { query } as object as Database,
    waits: { untilUp: (_, work) => work(), repeat: never, pause: never },
    skipped: { skip: never },
    async topUpLow(accountId) {
      await look(accountId);
      done.push(`${accountId} looked at`);
    },
  });
  return { done, handle: () => handler(BATCH, async () => undefined) };
}

function never(): never {
  throw new Error("not called");
}

const NAMED = ["acme", "globex", "acme"];

const BATCH: MessageBatch = {
  topic: "billing.low-balance",
  partition: 0,
  fetchedFrom: 4n,
  nextOffset: 7n,
  highWatermark: 7n,
  messages: NAMED.map((accountId, index) => ({
    offset: `${4 + index}`,
    key: Buffer.from(accountId),
    value: null,
    headers: {},
    timestamp: "0",
    attributes: 0,
  })),
};
