import { describe, expect, it } from "vitest";
import {
  afterLine,
  afterNews,
  type LiveState,
  NOT_CONNECTED,
  type StreamNews,
} from "../../services/dashboard/live/live-state.ts";
import { waitBefore } from "../../services/dashboard/live/wait-before.ts";

const NOW = 1_000_000;

const balance = (version: string | number, granted: string, position: string): StreamNews => ({
  kind: "event",
  event: "balance",
  data: JSON.stringify({ version, granted, position, changed_at: "2026-11-26T13:32:08.000Z" }),
});

function told(state: LiveState, ...news: StreamNews[]) {
  let result = { state, stale: [] as readonly string[] };
  for (const one of news) result = afterNews(result.state, one, NOW);
  return result;
}

describe("the live state of an account", () => {
  it("takes the first balance as received", () => {
    const { state, stale } = told(NOT_CONNECTED, balance("7", "100", "30"));
    expect(state.connection).toBe("live");
    expect(state.line).toMatchObject({ version: 7n, granted: 100n, position: 30n });
    expect(stale).toEqual([]);
  });

  it("knows what holds set aside", () => {
    expect(told(NOT_CONNECTED, balance("7", "100", "30")).state.line?.held).toBe(0n);
    const news = { version: "8", granted: "100", position: "30", held: "25" };
    const event: StreamNews = { kind: "event", event: "balance", data: JSON.stringify(news) };
    expect(told(NOT_CONNECTED, event).state.line?.held).toBe(25n);
  });

  it("moves to a newer version and never back", () => {
    const { state } = told(NOT_CONNECTED, balance(7, "100", "30"), balance(9, "100", "50"));
    expect(state.line?.position).toBe(50n);
    expect(told(state, balance(8, "100", "40")).state.line?.position).toBe(50n);
    expect(told(state, balance(9, "100", "40")).state.line?.position).toBe(50n);
  });

  it("compares versions as numbers, not as text", () => {
    const { state } = told(NOT_CONNECTED, balance("9", "100", "30"), balance("10", "100", "50"));
    expect(state.line?.version).toBe(10n);
  });

  it("is not set back by an answer older than the stream", () => {
    const { state } = told(NOT_CONNECTED, balance(9, "100", "50"));
    const old = { version: 8n, granted: 100n, position: 40n, held: 0n, changedAt: null };
    expect(afterLine(state, old)).toBe(state);
  });

  it("reloads what changed: usage when credits were used, lots when some were granted", () => {
    const { state } = told(NOT_CONNECTED, balance(1, "100", "30"));
    expect(told(state, balance(2, "100", "50")).stale).toEqual(["usage"]);
    expect(told(state, balance(2, "200", "30")).stale).toEqual(["lots"]);
    expect(told(state, balance(1, "200", "50")).stale).toEqual([]);
    const held = { version: "2", granted: "100", position: "30", held: "25" };
    const news = { kind: "event", event: "balance", data: JSON.stringify(held) } as const;
    expect(told(state, news).stale, "holds fill budgets").toEqual(["budgets"]);
  });

  it("reloads the lists that an event is about", () => {
    const event = (name: string): StreamNews => ({ kind: "event", event: name, data: "{}" });
    expect(told(NOT_CONNECTED, event("credits")).stale).toContain("entries");
    expect(told(NOT_CONNECTED, event("top_up")).stale).toContain("payments");
    expect(told(NOT_CONNECTED, event("reload")).stale).toHaveLength(6);
    expect(told(NOT_CONNECTED, event("of-tomorrow")).stale).toEqual([]);
  });

  it("keeps the last number and its time while it reconnects", () => {
    const live = told(NOT_CONNECTED, balance(1, "100", "30")).state;
    const { state } = afterNews(live, { kind: "lost" }, NOW + 60_000);
    expect(state).toMatchObject({ connection: "reconnecting", receivedAt: NOW, line: live.line });
  });

  it("reloads everything once the stream is connected again", () => {
    const { state, stale } = told(
      NOT_CONNECTED,
      balance(1, "100", "30"),
      { kind: "lost" },
      { kind: "alive" },
    );
    expect(state.connection).toBe("live");
    expect(stale).toHaveLength(6);
    expect(told(state, { kind: "alive" }).stale).toEqual([]);
  });

  it.each(["", "{", "null", '{"version":"x"}', '{"version":1.5,"granted":"1","position":"1"}'])(
    "does not change its number on an event that is not a balance (%s)",
    (data) => {
      const before = told(NOT_CONNECTED, balance(1, "100", "30")).state;
      const { state, stale } = told(before, { kind: "event", event: "balance", data });
      expect(state.line).toEqual(before.line);
      expect(stale).toEqual([]);
    },
  );
});

describe("the wait before a stream reconnects", () => {
  it("grows, is randomized, and has a maximum", () => {
    expect(waitBefore(0, 0)).toBe(250);
    expect(waitBefore(0, 1)).toBe(500);
    expect(waitBefore(3, 1)).toBe(4_000);
    expect(waitBefore(50, 1)).toBe(15_000);
  });
});
