import { type LockedPackage, shippedPackages } from "./lock-file.ts";

const KEEP_NOTICE = "permissive: the notice stays with the code, as it does in node_modules";

/** Licences that what is shipped may have, by their SPDX names, and why. Anything else is for a person to decide. */
export const ALLOWED: Readonly<Record<string, string>> = {
  "Apache-2.0": `${KEEP_NOTICE}; its grant of patents ends for who sues`,
  "BlueOak-1.0.0": KEEP_NOTICE,
  "BSD-3-Clause": `${KEEP_NOTICE}; names are not used to advertise`,
  ISC: KEEP_NOTICE,
  MIT: KEEP_NOTICE,
  Unlicense: "in the public domain",
};

/** A line for each package that is shipped under a licence that nobody allowed, or under none. */
export function refusedLicences(
  packages: readonly Pick<LockedPackage, "name" | "version" | "license">[],
): string[] {
  return packages
    .filter(({ license = "" }) => !Object.hasOwn(ALLOWED, license))
    .map(({ name, version, license = "no licence" }) => `${name} ${version}: ${license}`);
}

/** Name, versions and licence of what is shipped, sorted by name. */
export function licenceRows(packages = shippedPackages()): string[][] {
  const versions = new Map<string, Set<string>>();
  for (const { name, version, license = "" } of packages) {
    const key = `${name}\n${license}`;
    versions.set(key, (versions.get(key) ?? new Set()).add(version));
  }
  return [...versions]
    .map(([key, of]) => {
      const [name = "", license = ""] = key.split("\n");
      return [name, [...of].sort().join(", "), license];
    })
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

if (import.meta.main) {
  for (const row of licenceRows()) console.log(row.join("  "));
  const refused = refusedLicences(shippedPackages());
  if (refused.length > 0) {
    console.error(
      `These licences are not in ALLOWED of infra/supply-chain/licences.ts:\n${refused.join("\n")}`,
    );
    process.exitCode = 1;
  }
}
