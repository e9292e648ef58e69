/**
 * How money is collected is configured, never guessed.
 *
 * - there is no default gateway
 * - the simulated one is refused in production, and together with any setting of a real one
 * - what is missing is named; no value is ever shown: some are secrets
 */
import { describe, expect, test } from "vitest";
import { readPaymentSettings } from "../../services/top-up/settings.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";

type Environment = Readonly<Record<string, string>>;

const STRIPE = {
  PAYMENT_GATEWAY: "stripe",
  STRIPE_SECRET_KEY: "sesame-key",
  STRIPE_WEBHOOK_SECRET: "sesame-webhooks",
};
const SIMULATED = {
  PAYMENT_GATEWAY: "simulated",
  SIMULATED_GATEWAY_URL: "http://localhost:8096/sesame",
  SIMULATED_GATEWAY_WEBHOOK_SECRET: "sesame-simulated",
};

describe("a gateway is chosen", () => {
  test("Stripe, with defaults", () => {
    expect(readPaymentSettings(STRIPE)).toEqual({
      gateway: {
        name: "stripe",
        set: { STRIPE_SECRET_KEY: "sesame-key", STRIPE_WEBHOOK_SECRET: "sesame-webhooks" },
      },
      ceilings: new Map(),
      webhooks: { host: "127.0.0.1", port: 8095 },
      alarmAfterMs: 600_000,
    });
  });

  test.each([
    "https://recorder.example",
    "http://localhost:12111",
    "http://127.0.0.1:12111",
    "http://[::1]:12111",
  ])("Stripe at %s", (STRIPE_URL) => {
    expect(readPaymentSettings({ ...STRIPE, STRIPE_URL }).gateway.set).toMatchObject({
      STRIPE_URL,
    });
  });

  test.each([
    "http://recorder.example",
    "http://127.0.0.1.example",
    "http://localhost.example:80",
    "ftp://127.0.0.1",
    "127.0.0.1:12111",
  ])("its secret key never goes to %s", (STRIPE_URL) => {
    expect(() => readPaymentSettings({ ...STRIPE, STRIPE_URL })).toThrow(InvalidSettings);
    expect(() => readPaymentSettings({ ...STRIPE, STRIPE_URL })).toThrow("STRIPE_URL");
  });

  test("Stripe in production", () => {
    const set = readPaymentSettings({ ...STRIPE, NODE_ENV: "production" });
    expect(set.gateway.name).toBe("stripe");
  });

  test.each<Environment>([{}, { NODE_ENV: "development" }, { NODE_ENV: "test" }])(
    "the simulated one, %o",
    (env) => {
      expect(readPaymentSettings({ ...SIMULATED, ...env }).gateway).toEqual({
        name: "simulated",
        set: {
          SIMULATED_GATEWAY_URL: "http://localhost:8096/sesame",
          SIMULATED_GATEWAY_WEBHOOK_SECRET: "sesame-simulated",
        },
      });
    },
  );

  test("an empty text counts as unset, as in a compose file", () => {
    const empty = { STRIPE_SECRET_KEY: "", STRIPE_WEBHOOK_SECRET: "", WEBHOOK_PORT: "" };
    expect(readPaymentSettings({ ...SIMULATED, ...empty })).toMatchObject({
      gateway: { name: "simulated" },
      webhooks: { port: 8095 },
    });
  });

  test("where webhooks are received, and when an alarm is raised", () => {
    const env = { WEBHOOK_HOST: "0.0.0.0", WEBHOOK_PORT: "0", PAYMENT_ALARM_SECONDS: "1" };
    expect(readPaymentSettings({ ...STRIPE, ...env })).toMatchObject({
      webhooks: { host: "0.0.0.0", port: 0 },
      alarmAfterMs: 1_000,
    });
  });
});

const NEEDS_STRIPE =
  "PAYMENT_GATEWAY is stripe, which needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.";
const NEEDS_SIMULATED =
  "PAYMENT_GATEWAY is simulated, which needs SIMULATED_GATEWAY_URL and SIMULATED_GATEWAY_WEBHOOK_SECRET.";
const NOT_IN_PRODUCTION =
  "PAYMENT_GATEWAY is simulated, which takes no money and is refused where NODE_ENV is production: use stripe there.";
const NOT_BOTH =
  "PAYMENT_GATEWAY is simulated, but STRIPE_SECRET_KEY or STRIPE_WEBHOOK_SECRET is set: choose one gateway.";
const unusable = (line: string) => `Settings in the environment are not usable:\n  ${line}`;

describe("refused", () => {
  test.each<{ what: string; env: Environment; says: string }>([
    { what: "no gateway", env: {}, says: unusable("PAYMENT_GATEWAY: is not set") },
    {
      what: "no gateway, though all Stripe settings are present",
      env: without(STRIPE, "PAYMENT_GATEWAY"),
      says: unusable("PAYMENT_GATEWAY: is not set"),
    },
    {
      what: "an empty gateway",
      env: { ...STRIPE, PAYMENT_GATEWAY: "" },
      says: unusable("PAYMENT_GATEWAY: is not set"),
    },
    {
      what: "another gateway",
      env: { ...STRIPE, PAYMENT_GATEWAY: "sesame" },
      says: unusable("PAYMENT_GATEWAY: must be one of simulated, stripe"),
    },
    {
      what: "Stripe without its key",
      env: without(STRIPE, "STRIPE_SECRET_KEY"),
      says: NEEDS_STRIPE,
    },
    {
      what: "Stripe without its webhook secret",
      env: without(STRIPE, "STRIPE_WEBHOOK_SECRET"),
      says: NEEDS_STRIPE,
    },
    {
      what: "Stripe with an empty key",
      env: { ...STRIPE, STRIPE_SECRET_KEY: "" },
      says: NEEDS_STRIPE,
    },
    {
      what: "the simulated one in production",
      env: { ...SIMULATED, NODE_ENV: "production" },
      says: NOT_IN_PRODUCTION,
    },
    {
      what: "the simulated one in production, whatever else is set",
      env: { ...STRIPE, ...SIMULATED, NODE_ENV: "production" },
      says: NOT_IN_PRODUCTION,
    },
    {
      what: "the simulated one with a Stripe key",
      env: { ...SIMULATED, STRIPE_SECRET_KEY: "sesame-key" },
      says: NOT_BOTH,
    },
    {
      what: "the simulated one with a Stripe webhook secret",
      env: { ...SIMULATED, STRIPE_WEBHOOK_SECRET: "sesame-webhooks" },
      says: NOT_BOTH,
    },
    {
      what: "the simulated one without a URL",
      env: without(SIMULATED, "SIMULATED_GATEWAY_URL"),
      says: NEEDS_SIMULATED,
    },
    {
      what: "the simulated one without a secret",
      env: without(SIMULATED, "SIMULATED_GATEWAY_WEBHOOK_SECRET"),
      says: NEEDS_SIMULATED,
    },
    {
      what: "an invalid URL",
      env: { ...SIMULATED, SIMULATED_GATEWAY_URL: "sesame" },
      says: unusable("SIMULATED_GATEWAY_URL: must be a URL such as https://example.com:8081"),
    },
    {
      what: "a URL with a password",
      env: { ...SIMULATED, SIMULATED_GATEWAY_URL: "http://user:open@localhost:8096" },
      says: unusable("SIMULATED_GATEWAY_URL: must not have a user or password"),
    },
    {
      what: "a URL that is not http",
      env: { ...SIMULATED, SIMULATED_GATEWAY_URL: "ftp://sesame" },
      says: unusable("SIMULATED_GATEWAY_URL: must be a URL such as https://example.com:8081"),
    },
    {
      what: "an invalid port",
      env: { ...STRIPE, WEBHOOK_PORT: "65536" },
      says: unusable("WEBHOOK_PORT: must be at most 65535"),
    },
    {
      what: "an alarm after no time",
      env: { ...STRIPE, PAYMENT_ALARM_SECONDS: "0" },
      says: unusable("PAYMENT_ALARM_SECONDS: must be at least 1"),
    },
    {
      what: "an alarm without a number",
      env: { ...STRIPE, PAYMENT_ALARM_SECONDS: "sesame" },
      says: unusable("PAYMENT_ALARM_SECONDS: must be a number"),
    },
  ])("$what", ({ env, says }) => {
    const refusal = refusalOf(env);
    expect(refusal).toBe(says);
    expect(refusal).not.toContain("sesame");
  });

  test("everything that is wrong together", () => {
    const refusal = refusalOf({ PAYMENT_GATEWAY: "cash", WEBHOOK_PORT: "-1" });
    expect(refusal).toContain("PAYMENT_GATEWAY");
    expect(refusal).toContain("WEBHOOK_PORT");
  });
});

function without(env: Environment, name: string): Environment {
  return Object.fromEntries(Object.entries(env).filter(([key]) => key !== name));
}

function refusalOf(env: Environment): string {
  try {
    readPaymentSettings(env);
  } catch (error) {
    if (error instanceof InvalidSettings) return error.message;
    throw error;
  }
  return "nothing was refused";
}

describe("the seller's default ceilings", () => {
  const read = (TOP_UP_CEILINGS: string) =>
    readPaymentSettings({ ...STRIPE, TOP_UP_CEILINGS }).ceilings;

  test("are stated for each currency, in its units", () => {
    expect(read("USD 1000/2000/10000.50, JPY 5000 / 5000 / 5000")).toEqual(
      new Map([
        ["USD", { amount: 100_000n, perDay: 200_000n, perMonth: 1_000_050n }],
        ["JPY", { amount: 5_000n, perDay: 5_000n, perMonth: 5_000n }],
      ]),
    );
  });

  test.each([
    "1000/2000/3000",
    "USD 1000/2000",
    "USD 1000/999/3000",
    "USD 0/1/2",
    "USD 1000000/2000000/3000000",
    "XXQ 1/2/3",
    "JPY 1.5/2/3",
    "USD 1/2/3, USD 1/2/3",
  ])("or refused: %s", (text) => {
    expect(() => read(text)).toThrow(/TOP_UP_CEILINGS: must be like USD 1000\/2000\/10000/);
  });

  test.each([
    [
      "USD 0.30/1/1",
      "TOP_UP_CEILINGS allows USD 0.30 at most, and the gateway stripe charges USD 0.50",
    ],
    ["USD 10/10/10, JPY 49/50/50", "the gateway stripe charges JPY 50 at least: no top-up in JPY"],
  ])("below what the gateway charges at least, they are refused: %s", (text, sentence) => {
    expect(() => read(text)).toThrow(InvalidSettings);
    expect(() => read(text)).toThrow(sentence);
  });

  test("as much as the gateway charges at least, they are taken", () => {
    expect(read("USD 0.50/1/1").get("USD")).toMatchObject({ amount: 50n });
  });
});
