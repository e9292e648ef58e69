import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { STATEMENTS } from "../../infra/postgres/create-roles.ts";

const COMPOSE = new URL("../../docker-compose.yml", import.meta.url);
const text = readFileSync(COMPOSE, "utf8");
const service = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.unknown()).optional(),
  build: z.object({ dockerfile: z.string() }).optional(),
  pull_policy: z.string().optional(),
});
const { services } = z
  .object({ services: z.record(z.string(), service) })
  .parse(parse(text, { merge: true }));

test("one service builds the project's image, and the others wait for it", () => {
  const ours = Object.entries(services).filter(([, { image }]) => image === "drawdown");
  expect(ours.length).toBeGreaterThan(5);
  expect(ours.filter(([, { build }]) => build !== undefined).map(([name]) => name)).toEqual([
    "database-roles",
  ]);
  // Nothing is fetched of that name: the image is never that of somebody else.
  for (const [name, { pull_policy }] of ours) {
    expect([name, pull_policy]).toEqual([name, name === "database-roles" ? "build" : "never"]);
  }
});

test("only set-up has the owner's role of Postgres, and only the roles' maker the superuser's", () => {
  const having = (text: RegExp) =>
    Object.entries(services)
      .filter(([, { environment }]) => text.test(JSON.stringify(environment)))
      .map(([name]) => name);
  expect(having(/drawdown_owner/)).toEqual(["set-up"]);
  expect(having(/POSTGRES_PASSWORD/)).toEqual(["postgres", "database-roles"]);
  expect(having(/drawdown_registry/)).toEqual(["registry"]);
});

test("the page on trust shows what an administrator of Postgres runs", () => {
  const trust = readFileSync(new URL("../../docs/trust.md", import.meta.url), "utf8");
  expect(trust).toContain(["```sql", ...STATEMENTS, "```"].join("\n"));
});
