import { Webhook } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSender, SEND_LIMITS } from "../../services/webhooks/send.ts";
import type { AddressRules } from "../../shared/webhooks/find-addresses.ts";
import {
  type Behaviour,
  MISBEHAVIOUR,
  openReceiver,
} from "../support/processes/misbehaving-receiver.ts";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes ....").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another one of thirty-two bytes .").toString("base64")}`;
const DELIVERY = { sequence: 1n, webhookId: "msg_1", body: '{"type":"billing.credits","é":"ü"}' };
const NEVER = new AbortController().signal;
const QUICK = { connectMs: 300, answerMs: 400 };
const LOCAL = { allowPrivate: true };

function sender(rules: AddressRules = LOCAL, limits = QUICK) {
  const opened = openSender(rules, limits);
  onTestFinished(opened.close);
  const send = (url: string, { secrets = [SECRET], cut = NEVER } = {}) =>
    opened.send({ endpointId: "e", url, secrets }, DELIVERY, { at: Date.now(), cut });
  return { send };
}

async function answerOf(behaviour: Behaviour) {
  const receiver = await openReceiver(() => behaviour);
  return sender().send(receiver.url);
}

describe("what is sent", () => {
  test("is verified by the library of the Standard Webhooks, by each of the secrets", async () => {
    const receiver = await openReceiver();
    await sender().send(receiver.url, { secrets: [SECRET, OTHER] });
    const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
    for (const secret of [SECRET, OTHER]) {
      expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(DELIVERY.body));
    }
    const wrong = new Webhook(`whsec_${Buffer.alloc(32).toString("base64")}`);
    expect(() => wrong.verify(body, headers)).toThrow("No matching signature");
    expect(headers).toMatchObject({ "webhook-id": "msg_1", "content-type": "application/json" });
    expect(JSON.stringify(headers)).not.toContain(SECRET);
  });

  test("shares a connection with what was sent before", async () => {
    const ports = new Set<number | undefined>();
    const receiver = await openReceiver(() => (response, request) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const { send } = sender();
    for (let count = 0; count < 3; count += 1)
      expect((await send(receiver.url))?.problem).toBeNull();
    expect(ports.size).toBe(1);
  });

  test("is sent once more where an idle connection has been closed meanwhile", async () => {
    const receiver = await openReceiver((_, before) =>
      before === 1 ? (response) => response.socket?.resetAndDestroy() : 200,
    );
    const { send } = sender();
    await send(receiver.url);
    expect(await send(receiver.url)).toMatchObject({ status: 200, problem: null });
    expect(receiver.received).toHaveLength(3);
  });
});

describe("an answer", () => {
  test.each([200, 201, 204])("of %i is a delivery", async (status) => {
    expect(await answerOf(status)).toMatchObject({ status, problem: null });
  });

  test.each([400, 410, 429, 500, 503])(
    "of %i is none, and its beginning is kept",
    async (status) => {
      const start = `answer ${status}`;
      expect(await answerOf(status)).toEqual({ status, start, problem: `answered ${status}` });
    },
  );

  test("that redirects is none, and nothing follows it", async () => {
    const receiver = await openReceiver(() => MISBEHAVIOUR.redirect);
    expect(await sender().send(receiver.url)).toMatchObject({
      status: 302,
      problem: "answered 302, a redirect: redirects are not followed",
    });
    expect(receiver.received.map(({ path }) => path)).toEqual(["/hooks"]);
  });

  test("that never ends is read for 16 KiB and cut off; 1,024 bytes are kept", async () => {
    const startedAt = performance.now();
    const receiver = await openReceiver(() => MISBEHAVIOUR.endless);
    const answer = await sender(LOCAL, SEND_LIMITS).send(receiver.url);
    expect(answer).toMatchObject({ status: 200, problem: null });
    expect(answer?.start).toHaveLength(1_024);
    expect(performance.now() - startedAt).toBeLessThan(SEND_LIMITS.answerMs / 2);
  });

  test("that stalls after its status counts by its status, and is waited for no longer", async () => {
    const startedAt = performance.now();
    const receiver = await openReceiver(() => MISBEHAVIOUR.stalls);
    const answer = await sender(LOCAL, SEND_LIMITS).send(receiver.url);
    expect(answer).toMatchObject({ status: 200, problem: null });
    expect(performance.now() - startedAt).toBeLessThan(SEND_LIMITS.answerMs / 2);
  });

  test("keeps no NUL, which the books could not store", async () => {
    const answer = await answerOf((response) => response.writeHead(500).end("a\0b"));
    expect(answer?.start).toBe("a\uFFFDb");
  });
});

describe("without an answer it says why", () => {
  test("it hangs", async () => {
    const problem = "gave no answer within 0.4 s";
    expect(await answerOf(MISBEHAVIOUR.never)).toEqual({ status: null, start: null, problem });
  });

  test("it resets the connection", async () => {
    expect((await answerOf(MISBEHAVIOUR.reset))?.problem).toMatch(/ECONNRESET|socket hang up/);
  });

  test("it changes the protocol", async () => {
    const answer = await answerOf((response) => {
      response.socket?.end(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      );
    });
    expect(answer).toMatchObject({
      status: null,
      problem: expect.stringMatching(/closed|hang up/),
    });
  });

  test("nobody listens", async () => {
    const answer = await sender().send("http://127.0.0.1:9/");
    expect(answer).toMatchObject({
      status: null,
      problem: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("its name takes too long to be resolved", async () => {
    const resolve = () => new Promise<never>(() => undefined);
    const answer = await sender({ allowPrivate: true, resolve }).send("http://example.com/");
    expect(answer?.problem).toBe("no connection within 0.3 s");
  });

  test("and what is cut off because the service stops is unknown", async () => {
    const receiver = await openReceiver(() => MISBEHAVIOUR.never);
    const stop = new AbortController();
    const sent = sender(LOCAL, SEND_LIMITS).send(receiver.url, { cut: stop.signal });
    await receiver.has(1);
    stop.abort();
    expect(await sent).toBeNull();
  });
});

describe("an address that is not public is refused at the connection", () => {
  const at = (address: string) => async () => [{ address, family: 4 }];
  const refused = /^127\.0\.0\.1 is not a public address \(loopback\)$/;

  test("as a number", async () => {
    const receiver = await openReceiver();
    const answer = await sender({ allowPrivate: false }).send(
      `https://127.0.0.1:${receiver.port}/`,
    );
    expect(answer?.problem).toMatch(refused);
    expect(receiver.received).toEqual([]);
  });

  test("as a name that leads there, though it led elsewhere when it was looked up before", async () => {
    const answers = [at("8.8.8.8"), at("127.0.0.1")];
    const rules = { allowPrivate: false, resolve: () => (answers.shift() ?? at("127.0.0.1"))() };
    await rules.resolve();
    const answer = await sender(rules).send("https://rebinding.example.com/");
    expect(answer?.problem).toBe(
      "rebinding.example.com is at 127.0.0.1, which is not a public address (loopback)",
    );
  });

  test("and it goes to the address that was checked, not to one looked up after that", async () => {
    const receiver = await openReceiver();
    let lookups = 0;
    const resolve = () => {
      lookups += 1;
      return at("127.0.0.1")();
    };
    const { send } = sender({ allowPrivate: true, resolve });
    expect(await send(`http://nowhere.invalid:${receiver.port}/`)).toMatchObject({ status: 200 });
    expect(lookups).toBe(1);
  });

  test("and so is http", async () => {
    const answer = await sender({ allowPrivate: false }).send("http://example.com/");
    expect(answer?.problem).toBe("is reached over http, not https");
  });
});
