/**
 * The OpenAPI document fuzzed from outside, with Schemathesis: no 500, and no undocumented status,
 * content type or body.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Usage } from "../../shared/client/usage-client.ts";
import type { UsageEvent } from "../../shared/core/usage/usage-event.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { readSecret } from "../../shared/ledger/access/api-secrets.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { openPayer, sellCredits, use } from "../support/books/payers.ts";
import { openCatalogue } from "../support/books/subscribers.ts";
import { silent } from "../support/kafka/kafka.ts";
import { makeKey, testServer } from "../support/processes/api.ts";
import { installPython, NO_PYTHON } from "../support/python.ts";

const VERSION = "4.32.*";
/** The same in each run, so that a change is judged by its effect; FUZZ_SEED sets another. */
const SEED = process.env["FUZZ_SEED"] ?? "1";
const SECONDS = 30;
const CHECKS = [
  ...["not_a_server_error", "status_code_conformance"],
  ...["content_type_conformance", "response_schema_conformance"],
];

const run = promisify(execFile);

let python: string | null;
let books: Books;
let folder: string;

beforeAll(async () => {
  python = await installPython("schemathesis", [`schemathesis==${VERSION}`]);
  if (python === null) return;
  folder = await mkdtemp(join(tmpdir(), "drawdown-fuzz-"));
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
  await openPayer(books, "acme");
  for (const quantity of [1n, 2n]) await use(books, { acme: quantity });
}, 300_000);

afterAll(async () => {
  await books?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

// Most routes need an existing account to answer with more than "not found".
const settings = { "of any account": "", "of an account that stands": 'account_id = "acme"\n' };

for (const [what, parameters] of Object.entries(settings)) {
  test(
    `what is asked ${what} is answered as the document says`,
    async ({ skip }) => {
      if (python === null) return skip(NO_PYTHON);
      const usage = { client: { publish }, window: DEFAULT_WINDOW };
      const app = await testServer(books, { usage, logger: silent });
      const origin = await app.listen({ port: 0, host: "127.0.0.1" });
      const key = await makeKey(books, ["admin"]);
      const config = join(folder, "schemathesis.toml");
      // Of the keys it may revoke this one, not its own.
      const other = readSecret(await makeKey(books, ["read"]));
      const keyId = other?.kind === "key" ? other.keyId : "";
      await writeFile(config, `[parameters]\nkey_id = "${keyId}"\n${parameters}`);
      const said = await run(
        join(dirname(python), "st"),
        [
          ...["--config-file", config, "run", `${origin}/openapi.json`],
          ...["--header", `Authorization: Bearer ${key}`, "--checks", CHECKS.join(",")],
          ...[
            "--seed",
            SEED,
            "--max-time",
            String(SECONDS),
            "--request-timeout",
            "10",
            "--no-color",
          ],
          // A stream stays open until the client leaves: test/api/stream.test.ts covers it.
          ...["--exclude-path-regex", "/stream$", "--warnings", "off", "--continue-on-failure"],
        ],
        { cwd: folder, maxBuffer: 64 << 20 },
      ).catch((error: { stdout?: string; stderr?: string }) => ({
        stdout: `${error.stdout ?? ""}${error.stderr ?? ""}\nit failed`,
      }));
      expect(said.stdout).not.toMatch(/it failed$/);
      expect(said.stdout).toMatch(/No issues found/);
      const headers = { authorization: `Bearer ${key}` };
      const after = await fetch(`${origin}/v1/keys`, { headers });
      expect(after.status, "its own key is valid to the end").toBe(200);
    },
    (SECONDS + 120) * 1_000,
  );
}

/** Accepts usage without Kafka. */
async function publish(usage: Usage): Promise<UsageEvent> {
  const { eventId = "e", source = "", dimensions = {}, quantity } = usage;
  const occurredAt = Number(usage.occurredAt);
  const quantities = Object.fromEntries(
    Object.entries(usage.quantities ?? {}).map(([meter, each]) => [meter, BigInt(each)]),
  );
  const used = { quantity: BigInt(quantity), quantities, holdId: usage.holdId ?? null };
  return { ...usage, eventId, occurredAt, source, dimensions, ...used };
}
