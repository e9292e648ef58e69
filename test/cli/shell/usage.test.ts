import { describe, expect, test } from "vitest";
import { drawdown, drawdownProcess, words } from "../../support/cli/drawdown.ts";

const COMMANDS = [
  "account create",
  "account set",
  "account changes",
  "account show",
  "grant",
  "rate set",
  "rate list",
  "rates import",
  "subscription start",
  "subscription change-plan",
  "subscription change-interval",
  "subscription cancel",
  "subscription resume",
  "subscription show",
  "subscription history",
  "add-on set",
  "add-on cancel",
  "add-on list",
  "invoicing set",
  "invoicing show",
  "payment-method set",
  "payment-method remove",
  "payment-method show",
  "top-up settings",
  "top-up set",
  "top-up ceilings",
  "top-up make",
  "top-up list",
  "payments",
  "payment show",
  "payment refund",
  "lots",
  "lot withdraw",
  "entries",
  "publish",
  "explain event",
  "explain lot",
  "catalogue apply",
  "catalogue show",
  "budget set",
  "budget delete",
  "budget list",
  "alerts set",
  "alerts off",
  "alerts show",
  "alerts list",
  "key create",
  "key list",
  "key revoke",
  "token list",
  "token revoke",
  "dashboard-link",
  "webhooks add",
  "webhooks list",
  "webhooks pause",
  "webhooks resume",
  "webhooks rotate",
  "webhooks delete",
  "webhooks deliveries",
  "webhooks show",
  "webhooks send-again",
  "dead-letters list",
  "dead-letters show",
  "dead-letters retry",
  "dead-letters dismiss",
  "what-if",
  "scheduler run",
  "status",
  "doctor",
  "reconcile",
  "replay",
];

test("--help names every command and the environment", async () => {
  const { code, stdout } = await drawdownProcess(["--help"], { env: { DATABASE_URL: undefined } });
  expect(code).toBe(0);
  for (const name of COMMANDS) expect(stdout).toContain(words(name)[0]);
  for (const name of ["DATABASE_URL", "KAFKA_BROKERS", "SCHEMA_REGISTRY_URL"]) {
    expect(stdout).toContain(name);
  }
});

test.each(COMMANDS)("the help of %s shows an example and --json", async (name) => {
  const { code, stdout } = await drawdown([...words(name), "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain(`Example:\n  $ drawdown ${name}`);
  expect(stdout).toContain("--json");
});

describe("wrong usage is one sentence and exit code 2", () => {
  test.each([
    ["frobnicate", "unknown command 'frobnicate'"],
    ["account frobnicate", "unknown command 'frobnicate'"],
    ["lots acme --jsn", "unknown option '--jsn' (Did you mean --json?)"],
    ["lots", "missing required argument 'account'"],
    ["rate set tokens 3", "required option '--per <units>' not specified"],
    ["account set acme", "name what to set: --time-zone, --threshold or --overdraft"],
    ["payment-method set acme", "required option '--customer <id>' not specified"],
    ["top-up make acme", "missing required argument 'amount'"],
    ["explain event e-1", "required option '--account <account>' not specified"],
  ])("%s", async (line, sentence) => {
    expect(await drawdown(words(line))).toEqual({
      code: 2,
      stdout: "",
      stderr: `${sentence}\n`,
    });
  });

  test("with --json as JSON", async () => {
    const { code, stderr } = await drawdownProcess(words("frobnicate --json"));
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({ error: "unknown command 'frobnicate'" });
  });

  test.each([
    [""],
    ["account"],
    ["rate"],
    ["subscription"],
    ["add-on"],
    ["lot"],
    ["explain"],
    ["invoicing"],
    ["payment-method"],
    ["top-up"],
    ["payment"],
  ])("'%s' alone: the help", async (line) => {
    const { code, stderr } = await drawdown(words(line));
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: drawdown");
  });

  test("names missing settings", async () => {
    const env = { DATABASE_URL: undefined, KAFKA_BROKERS: "no-port" };
    const { code, stderr } = await drawdownProcess(words("lots acme --json"), { env });
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({
      error:
        "Settings in the environment are not usable: DATABASE_URL: is not set; " +
        "KAFKA_BROKERS: must be host:port, separated by commas",
    });
  });
});

describe("an unusable Postgres is one sentence, without its password, and exit code 1", () => {
  test("no server at the address", async () => {
    const env = { DATABASE_URL: "postgres://someone:secret@127.0.0.1:1/books" };
    expect(await drawdownProcess(words("lots acme"), { env })).toEqual({
      code: 1,
      stdout: "",
      stderr: "Postgres at 127.0.0.1:1/books cannot be reached: connect ECONNREFUSED 127.0.0.1:1\n",
    });
  });

  test("no such database", async () => {
    const url = new URL(process.env["DATABASE_URL"] ?? "");
    url.pathname = "/cli_nowhere";
    const { code, stderr } = await drawdownProcess(words("lots acme"), {
      env: { DATABASE_URL: url.href },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Postgres at \S+ refuses the connection: database "cli_nowhere" does not exist\n$/,
    );
  });

  test("a database without Drawdown's tables", async () => {
    const url = new URL(process.env["DATABASE_URL"] ?? "");
    url.pathname = "/postgres";
    const { code, stderr } = await drawdownProcess(words("lots acme"), {
      env: { DATABASE_URL: url.href },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Postgres at \S+ does not have the tables of this version \(it has none\); run set-up of this version \(npm run set-up, or node infra\/set-up.js in its image\)\n$/,
    );
  });
});
