import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const COMPOSE = new URL("../../docker-compose.yml", import.meta.url);
const service = z.object({
  image: z.string(),
  build: z.object({ dockerfile: z.string() }).optional(),
  pull_policy: z.string().optional(),
});
const { services } = z
  .object({ services: z.record(z.string(), service) })
  .parse(parse(readFileSync(COMPOSE, "utf8"), { merge: true }));

test("one service builds the project's image, and the others wait for it", () => {
  const ours = Object.entries(services).filter(([, { image }]) => image === "drawdown");
  expect(ours.length).toBeGreaterThan(5);
  expect(ours.filter(([, { build }]) => build !== undefined).map(([name]) => name)).toEqual([
    "set-up",
  ]);
  // Nothing is fetched of that name: the image is never that of somebody else.
  for (const [name, { pull_policy }] of ours) {
    expect([name, pull_policy]).toEqual([name, name === "set-up" ? "build" : "never"]);
  }
});
