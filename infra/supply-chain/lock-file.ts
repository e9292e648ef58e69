import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

export const PROJECT = join(import.meta.dirname, "..", "..");

/** Packages for development whose code is in the pages of the dashboard, and so is shipped. */
export const BUNDLED = ["preact", "@preact/signals", "@preact/signals-core", "eventsource-parser"];

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

export type LockedPackage = ReturnType<typeof readLockFile>[number];

/** Every package that `npm ci` may install, once for each place. */
export function readLockFile(file = join(PROJECT, "package-lock.json")) {
  const { packages } = lockFile.parse(JSON.parse(readFileSync(file, "utf8")));
  return Object.entries(packages)
    .filter(([path]) => path !== "")
    .map(([path, entry]) => ({ path, name: path.replace(/^.*node_modules\//, ""), ...entry }));
}

/** What an image has of them: what it runs with, and what is in the pages of its dashboard. */
export function shippedPackages(locked = readLockFile()): LockedPackage[] {
  return locked.filter(
    ({ path, name, dev }) =>
      dev !== true || (BUNDLED.includes(name) && path === `node_modules/${name}`),
  );
}
