import { expect, test } from "vitest";
import { bodyOf } from "../../services/webhooks/webhook-body.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { EVENT_TYPES, TIME_FIELD } from "../../shared/core/webhooks/event-types.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";

const accountId = toAccountId("acme");

test("a record is sent as the API shows such records, with its type, id, sequence, account and time", () => {
  const fields = {
    ...{ account_id: "acme", sequence: 7n, kind: "grant", credits: 9_007_199_254_740_993n },
    ...{ balance: -1n, lot_id: null, reference: "gift" },
    ...{ posted_at: Date.UTC(2026, 8, 1), due_at: null },
  };
  const body = bodyOf("billing.credits", SCHEMAS.credits)({ accountId, sequence: 7n, fields });
  expect(JSON.parse(body)).toEqual({
    id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
    type: "billing.credits",
    timestamp: "2026-09-01T00:00:00.000Z",
    account_id: "acme",
    sequence: "7",
    data: {
      account_id: "acme",
      sequence: "7",
      kind: "grant",
      credits: "9007199254740993",
      balance: "-1",
      lot_id: null,
      reference: "gift",
      posted_at: "2026-09-01T00:00:00.000Z",
      due_at: null,
    },
  });
});

test("the id is that of the event: the same again, and another for another type, account or sequence", () => {
  const idOf = (sequence: bigint, id = "acme") => {
    const fields = { account_id: id, changed_at: 0 };
    const record = { accountId: toAccountId(id), sequence, fields };
    const bodies = [
      bodyOf("billing.top-ups", SCHEMAS.topUps)(record),
      bodyOf("billing.payments", SCHEMAS.payments)(record),
    ];
    return bodies.map((body) => (JSON.parse(body) as { id: string }).id);
  };
  const ids = [...idOf(1n), ...idOf(2n), ...idOf(1n, "globex")];
  expect(new Set(ids).size).toBe(6);
  expect(idOf(1n)).toEqual(ids.slice(0, 2));
});

test.each(EVENT_TYPES)("%s says by a field of its record when it happened", (type) => {
  const schema = Object.values(SCHEMAS).find(({ topic }) => topic === type);
  const { fields } = JSON.parse(schema?.text ?? "{}") as { fields: { name: string }[] };
  expect(fields.map(({ name }) => name)).toContain(TIME_FIELD[type]);
});
