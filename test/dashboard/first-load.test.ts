import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIRST_LOAD_LIMIT, firstLoad, sizeOf } from "../../services/dashboard/build/first-load.ts";

const ROOT = resolve(import.meta.dirname, "../../services/dashboard");

describe("the built dashboard", () => {
  let directory = "";

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "dashboard-"));
    await build({ root: ROOT, logLevel: "silent", build: { outDir: directory } });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it("loads at most 100 KB, gzipped, before the account is drawn", async () => {
    const files = await firstLoad(directory);
    const kinds = files.map(({ file }) => file.split(".").at(-1));
    expect(kinds).toEqual(expect.arrayContaining(["html", "js", "css"]));
    expect(sizeOf(files)).toBeLessThanOrEqual(FIRST_LOAD_LIMIT);
  });

  it("does not load the operators' page for customers", async () => {
    const files = await firstLoad(directory);
    expect(files.filter(({ file }) => file.includes("operators"))).toEqual([]);
  });

  it("has no script or style in the page itself, which its policy forbids", async () => {
    const page = await readFile(join(directory, "index.html"), "utf8");
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  });
});
