import type { Random } from "../../model/random.ts";
import type { FireAccount } from "./accounts.ts";
import { type Codec, framed } from "./avro.ts";
import type { Planned, Usage, UsageKind } from "./event.ts";

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const NO_SCHEMA = 987_654_321;

/** How often each kind comes, in thousandths. */
const MIX: readonly (readonly [number, Planned["kind"]])[] = [
  [850, "fresh"],
  [40, "late"],
  [20, "skewed"],
  [60, "repeat"],
  [8, "conflict"],
  [4, "unknown_account"],
  [4, "unknown_meter"],
  [3, "negative_quantity"],
  [3, "too_far_ahead"],
  [3, "too_long_ago"],
  [2, "garbage"],
  [2, "truncated"],
  [1, "unknown_schema"],
];
const SHARES: readonly (readonly [number, FireAccount["kind"]])[] = [
  [40, "hot"],
  [30, "steady"],
  [20, "low"],
  [6, "planned"],
  [4, "debtor"],
];
const MOST_REMEMBERED = 5_000;

export interface DrawnFrom {
  readonly random: Random;
  readonly accounts: readonly FireAccount[];
  readonly codec: Codec;
  readonly schemaId: number;
}

/** Draws what is published next. Repeats and conflicts are of events that Kafka has acknowledged. */
export function eventDrawer({ random, accounts, codec, schemaId }: DrawnFrom) {
  const byKind = Map.groupBy(accounts, ({ kind }) => kind);
  const acknowledged: Usage[] = [];
  let count = 0;

  function fresh(now: number): Usage {
    count += 1;
    const account = random.pick(byKind.get(random.pickWeighted(SHARES)) ?? accounts);
    // What ends by the month is compared to the last micro-credit, of which calls leave no part.
    const isCall = account.kind === "planned" || random.chance(0.5);
    return {
      event_id: random.chance(0.5) ? uuid(random) : `event-${count}`,
      account_id: account.id,
      meter: isCall ? "fire.calls" : "fire.tokens",
      quantity: BigInt(isCall ? random.between(1, 100) : random.between(1, 5_000)),
      occurred_at: BigInt(now - random.between(0, 5 * SECOND)),
      source: "fire",
      dimensions: { model: random.pick(["small", "large"]) },
    };
  }

  function usage(kind: UsageKind, now: number): Usage {
    const event = fresh(now);
    switch (kind) {
      case "fresh":
        return event;
      case "late":
        return { ...event, occurred_at: BigInt(now - random.between(3_600 * SECOND, 20 * DAY)) };
      case "skewed":
        return { ...event, occurred_at: BigInt(now + random.between(SECOND, 60 * SECOND)) };
      case "repeat":
        return acknowledged.length === 0 ? event : random.pick(acknowledged);
      case "conflict": {
        if (acknowledged.length === 0) return event;
        const known = random.pick(acknowledged);
        return { ...known, quantity: known.quantity + 1n };
      }
      case "unknown_account":
        return { ...event, account_id: `nobody-${random.whole(10)}` };
      case "unknown_meter":
        return { ...event, meter: "fire.nothing" };
      case "negative_quantity":
        return { ...event, quantity: -event.quantity };
      case "too_far_ahead":
        return { ...event, occurred_at: BigInt(now + DAY) };
      case "too_long_ago":
        return { ...event, occurred_at: BigInt(now - 60 * DAY) };
    }
  }

  return {
    next(now: number): Planned {
      const kind = random.pickWeighted(MIX);
      if (kind !== "garbage" && kind !== "truncated" && kind !== "unknown_schema") {
        return { kind, usage: usage(kind, now) };
      }
      const event = fresh(now);
      const whole = framed(kind === "unknown_schema" ? NO_SCHEMA : schemaId, codec.toBuffer(event));
      const bytes =
        kind === "garbage"
          ? Buffer.from(`no event ${event.event_id}`)
          : kind === "truncated"
            ? whole.subarray(0, whole.length - random.between(8, 12))
            : whole;
      return { kind, key: event.account_id, bytes };
    },
    acknowledge(usage: Usage): void {
      if (acknowledged.length < MOST_REMEMBERED) acknowledged.push(usage);
      else acknowledged[random.whole(MOST_REMEMBERED)] = usage;
    },
  };
}

function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.whole(16).toString(16)).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
