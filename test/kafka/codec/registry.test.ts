/**
 * With a real HTTP server in this process, through the real client:
 *
 * - only the answer "no such schema" makes a message's schema unknown; everything else is an outage,
 *   until the registry answers again
 * - a schema for which the registry keeps failing, while it answers otherwise, is no outage
 * - a schema is refused only by an answer that refuses it
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openBillingReader } from "../../../shared/kafka/codec/billing-records.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { IncompatibleSchema, RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";

const VALUE = Buffer.from([0, 0, 0, 0, 7, 2, 65]);

test("a user and password in the URL are sent as a header, and no failure shows them", async () => {
  const sent: unknown[] = [];
  const server = createServer(({ headers }, response) => {
    sent.push(headers.authorization);
    response.writeHead(503).end();
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://some%40one:se%2Fcret%@127.0.0.1:${port}/`;
  const failure = await openUsageDecoder(openRegistry({ url, auth: null }))
    .learn([VALUE])
    .catch(String);
  expect(sent).toContain(`Basic ${btoa("some@one:se/cret%")}`);
  expect(failure).toContain(`schema registry at http://127.0.0.1:${port}: `);
  expect(failure).not.toContain("cret");
});

test("a registry without the schema makes the message's schema unknown", async () => {
  const registry = await registryThat((response) =>
    json(response, 404, { error_code: 40403, message: "Schema 7 not found" }),
  );
  const decoder = openUsageDecoder(registry);
  await decoder.learn([VALUE]);
  expect(decoder.decode(VALUE, 0, 0n)).toMatchObject({ reason: "unknown_schema" });
});

describe("is an outage, not a bad event:", () => {
  test("nothing listens", async () => {
    const registry = openRegistry({ url: "http://127.0.0.1:9", auth: null });
    await expect(openUsageDecoder(registry).learn([VALUE])).rejects.toThrow(RegistryUnavailable);
  });

  test.each<{ what: string; answer: (response: ServerResponse) => void }>([
    { what: "503 without a body", answer: (response) => void response.writeHead(503).end() },
    {
      what: "500 of the registry's store",
      answer: (response) => json(response, 500, { error_code: 50001, message: "store" }),
    },
    { what: "401", answer: (response) => json(response, 401, { message: "Unauthorized" }) },
    { what: "429", answer: (response) => json(response, 429, { message: "Too Many Requests" }) },
    { what: "a connection that breaks", answer: (response) => void response.socket?.destroy() },
  ])("$what", async ({ answer }) => {
    const registry = await registryThat(answer);
    await expect(openUsageDecoder(registry).learn([VALUE])).rejects.toThrow(RegistryUnavailable);
  });
});

describe("is an outage too, as no registry answers this way:", () => {
  test.each<{ what: string; answer: (response: ServerResponse) => void }>([
    { what: "404 of a proxy in front of it", answer: (response) => page(response, 404) },
    { what: "a proxy's page", answer: (response) => page(response, 200) },
    { what: "a redirect", answer: (response) => void response.writeHead(302).end() },
    { what: "an empty answer", answer: (response) => void response.writeHead(200).end() },
  ])("$what", async ({ answer }) => {
    const registry = await registryThat(answer);
    await expect(openUsageDecoder(registry).learn([VALUE])).rejects.toThrow(RegistryUnavailable);
  });
});

describe("a schema for which the registry keeps failing", () => {
  const PATIENCE_MS = 60_000;
  const FAILING = 7;
  const messageOf = (id: number) => Buffer.from([0, 0, 0, 0, id, 2, 65]);
  const waitLonger = () => vi.advanceTimersByTime(PATIENCE_MS);

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A registry that has no schema but fails for one, unless it is `whole` or `down`. */
  async function failing(fail: (response: ServerResponse) => void) {
    const state = { whole: false, down: false, asked: 0 };
    const registry = await registryThat((response, path) => {
      const isFailing = path === `/schemas/ids/${FAILING}`;
      if (isFailing) state.asked += 1;
      if (state.down || (isFailing && !state.whole)) return fail(response);
      return json(response, 404, { error_code: 40403, message: "not found" });
    });
    return { state, registry };
  }

  test.each<{ what: string; fail: (response: ServerResponse) => void }>([
    { what: "500", fail: (response) => json(response, 500, { error_code: 50001 }) },
    { what: "a page with 502", fail: (response) => page(response, 502) },
    { what: "403", fail: (response) => json(response, 403, { message: "not allowed" }) },
    { what: "a broken connection", fail: (response) => void response.socket?.destroy() },
  ])(
    "is an outage first, then unknown, and the messages around it are read: $what",
    async ({ fail }) => {
      const { state, registry } = await failing(fail);
      const decoder = openUsageDecoder(registry);
      const values = [messageOf(1), messageOf(FAILING), messageOf(2)];
      await expect(decoder.learn(values)).rejects.toThrow(RegistryUnavailable);
      waitLonger();
      await decoder.learn(values);
      expect(decoder.decode(messageOf(FAILING), 0, 0n)).toMatchObject({
        reason: "unknown_schema",
        detail: expect.stringMatching(
          /^schema 7 cannot be loaded: .*, though it answers otherwise$/,
        ),
      });
      const { asked } = state;
      await decoder.learn(values);
      expect(state.asked).toBe(asked);
      state.whole = true;
      waitLonger();
      await decoder.learn(values);
      expect(decoder.decode(messageOf(FAILING), 0, 0n)).toMatchObject({
        detail: "the registry has no schema 7",
      });
    },
  );

  test("is not judged while the registry is away, and anew when it is back", async () => {
    const { state, registry } = await failing((response) => json(response, 500, {}));
    const decoder = openUsageDecoder(registry);
    await expect(decoder.learn([messageOf(FAILING)])).rejects.toThrow("though it answers");
    state.down = true;
    waitLonger();
    for (let time = 0; time < 3; time += 1) {
      await expect(decoder.learn([messageOf(FAILING)])).rejects.toThrow(RegistryUnavailable);
    }
    state.down = false;
    await expect(decoder.learn([messageOf(FAILING)])).rejects.toThrow("though it answers");
  });

  test("is skipped on a billing topic, and read once the registry serves it", async () => {
    const { state, registry } = await failing((response) => json(response, 500, {}));
    const read = openBillingReader(registry, SCHEMAS.balances);
    const record = {
      key: Buffer.from("acme"),
      value: messageOf(FAILING),
      headers: { sequence: "1" },
    };
    await expect(read(record)).rejects.toThrow(RegistryUnavailable);
    waitLonger();
    expect(await read(record)).toMatchObject({
      problem: expect.stringContaining("schema 7 cannot"),
    });
    state.whole = true;
    waitLonger();
    expect(await read(record)).toMatchObject({ problem: "the registry has no schema 7" });
  });
});

describe("registering a schema", () => {
  test("gives the id that the registry answers", async () => {
    const registry = await registryThat((response, path) =>
      path.startsWith("/config")
        ? json(response, 200, { compatibilityLevel: "BACKWARD" })
        : json(response, 200, { id: 42 }),
    );
    expect(await registry.register(SCHEMAS.usageEvents)).toBe(42);
  });

  test("that would break its readers is refused and names the subject", async () => {
    const registry = await registryThat((response, path) =>
      path.startsWith("/config")
        ? json(response, 200, { compatibilityLevel: "BACKWARD" })
        : json(response, 409, {
            error_code: 409,
            message: "Schema being registered is incompatible",
          }),
    );
    const registering = registry.register(SCHEMAS.usageEvents);
    await expect(registering).rejects.toThrow(IncompatibleSchema);
    await expect(registering).rejects.toThrow("usage.events-value: ");
  });

  test("under a subject with another compatibility is refused", async () => {
    const registry = await registryThat((response) =>
      json(response, 200, { compatibilityLevel: "NONE" }),
    );
    await expect(registry.register(SCHEMAS.usageEvents)).rejects.toThrow(IncompatibleSchema);
  });

  test.each([
    { schema: SCHEMAS.usageEvents, level: null, sets: "FORWARD_TRANSITIVE" },
    { schema: SCHEMAS.usageEvents, level: "BACKWARD", sets: "FORWARD_TRANSITIVE" },
    { schema: SCHEMAS.usageEvents, level: "FORWARD", sets: null },
    { schema: SCHEMAS.usageEvents, level: "FULL", sets: null },
    { schema: SCHEMAS.balances, level: null, sets: "BACKWARD" },
    { schema: SCHEMAS.balances, level: "BACKWARD", sets: null },
    { schema: SCHEMAS.balances, level: "FULL_TRANSITIVE", sets: null },
  ])("of $schema.topic where $level is set sets $sets", async ({ schema, level, sets }) => {
    const put: string[] = [];
    const registry = await registryThat((response, path, method) => {
      if (method === "PUT") put.push(path);
      if (path.startsWith("/config") && method === "GET" && level === null)
        json(response, 404, { error_code: 40408 });
      else json(response, 200, { compatibilityLevel: level, id: 42 });
    });
    expect(await registry.register(schema)).toBe(42);
    expect(put).toEqual(sets === null ? [] : [`/config/${schema.subject}`]);
  });

  test("of references is read with them, each once, and bounded", async () => {
    const kind = { type: "enum", name: "Kind", namespace: "shared", symbols: ["calls"] };
    const { fields, ...ours } = JSON.parse(SCHEMAS.usageEvents.text);
    const text = JSON.stringify({
      ...ours,
      fields: fields.map((field: { name: string }) =>
        field.name === "meter" ? { name: "meter", type: "shared.Kind" } : field,
      ),
    });
    const toKind = [{ name: "shared.Kind", subject: "kind", version: 1 }];
    const asked: string[] = [];
    const registry = await registryThat((response, path) => {
      asked.push(path);
      if (path === "/schemas/ids/1") json(response, 200, { schema: text, references: toKind });
      else if (path === "/schemas/ids/2") {
        const references = [{ name: "x", subject: "loop-0", version: 1 }];
        json(response, 200, { schema: text, references });
      } else if (path.startsWith("/subjects/loop-")) {
        const next = Number(/loop-(\d+)/.exec(path)?.[1]) + 1;
        const references = [{ name: "x", subject: `loop-${next}`, version: 1 }];
        json(response, 200, { schema: '"int"', references });
      } else json(response, 200, { schema: JSON.stringify(kind) });
    });
    expect((await registry.schemaOf(1))?.name).toBe("drawdown.UsageEvent");
    expect(asked).toEqual(["/schemas/ids/1", "/subjects/kind/versions/1"]);
    await expect(registry.schemaOf(2)).rejects.toThrow("more than 8 deep");
  });

  test("while the registry is away is an outage", async () => {
    const registry = openRegistry({ url: "http://127.0.0.1:9", auth: null });
    await expect(registry.register(SCHEMAS.usageEvents)).rejects.toThrow(RegistryUnavailable);
  });
});

/** A client of a server that answers every request this way. */
async function registryThat(
  answer: (response: ServerResponse, path: string, method: string) => void,
) {
  const server = createServer((request, response) =>
    answer(response, request.url ?? "", request.method ?? ""),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return openRegistry({ url: `http://127.0.0.1:${port}`, auth: null });
}

function page(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "text/html" }).end("<html>Please log in</html>");
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/vnd.schemaregistry.v1+json" });
  response.end(JSON.stringify(body));
}
