/** The last release and this version, side by side: what is promised of an upgrade. */
import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { NoRelease, type Release, unpackRelease } from "./release.ts";
import { upgrade } from "./upgrade.ts";

const MIGRATIONS = new URL("../../infra/postgres/migrations/", import.meta.url);

test("this version is set up and works beside the last release under load: nothing is lost, twice, or refused", {
  timeout: 400_000,
}, async ({ skip }) => {
  const release = await unpackRelease().catch((error: Error) => {
    if (error instanceof NoRelease && process.env["RELEASE_REQUIRED"] !== "yes") return error;
    throw error;
  });
  if (release instanceof Error) return skip(release.message);
  const { findings, migrated, events, charges } = await upgrade(release, {
    phaseMs: 1_500,
    note: () => undefined,
  });
  expect(findings).toEqual([]);
  expect(migrated).toEqual(await migrationsSince(release));
  expect(events).toBeGreaterThan(500);
  expect(charges).toBeGreaterThan(4);
});

async function migrationsSince({ newestMigration }: Release): Promise<string[]> {
  const names = (await readdir(MIGRATIONS)).map((file) => file.replace(/\.sql$/, ""));
  return names.filter((name) => name > newestMigration).toSorted();
}
