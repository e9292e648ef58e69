import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { loadProgram } from "../../services/cli/program.ts";
import { documentedMetrics } from "../infra/observability/observability.ts";
import { COPIES, GENERATED, ROOT, readGenerated } from "./generated.ts";
import {
  deadLinks,
  figuresNotMeasured,
  missingCommands,
  missingMetrics,
  missingPaths,
  missingScripts,
  type Page,
  readPages,
} from "./pages.ts";

const MOST_OF_README = 9 * 1024;
const pages = await readPages();
const program = await loadProgram(undefined);

function pageOf(name: string): Page {
  const page = pages.find((one) => one.name === name);
  if (page === undefined) throw new Error(`there is no page ${name}`);
  return page;
}

function textOf(name: string): string {
  return pageOf(name).text;
}

test("the README is short", () => {
  expect(Buffer.byteLength(textOf("README.md"))).toBeLessThanOrEqual(MOST_OF_README);
});

test.each(pages)("$name links to pages and headings that exist", (page) => {
  expect(deadLinks(page)).toEqual([]);
});

test.each(pages)("$name names files that exist", (page) => {
  expect(missingPaths(page)).toEqual([]);
});

test.each(pages)("$name runs npm scripts that exist", (page) => {
  expect(missingScripts(page)).toEqual([]);
});

test.each(pages)("$name names commands that exist", (page) => {
  expect(missingCommands(page, program)).toEqual([]);
});

test.each(pages)("$name leaves npm's lines out where a program reads the output", ({ text }) => {
  expect(text.match(/^npm run drawdown -- [^#\n]*(?:--json|[|>]).*$/gm)).toBeNull();
});

const current = pages.filter(({ name }) => name !== "CHANGELOG.md");

test.each(current)("$name names metrics that exist", (page) => {
  expect(missingMetrics(page, documentedMetrics())).toEqual([]);
});

test("every promise names the tests that prove it", () => {
  const promises = textOf("docs/promises.md").match(/^\| [^-].* \|$/gm) ?? [];
  const rows = promises.filter((row) => !row.startsWith("| promise "));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => !/`test\/[\w./-]+` ?/.test(row))).toEqual([]);
});

test.each([
  { name: "README.md", heading: "Speed" },
  { name: "docs/limits.md", heading: "What was measured" },
])("the figures of $name are those of docs/performance.md", ({ name, heading }) => {
  const performance = pageOf("docs/performance.md");
  expect(figuresNotMeasured(pageOf(name), heading, performance)).toEqual([]);
});

test.each(GENERATED)("$page matches the code (npm run docs updates it)", (generated) => {
  const { is, shouldBe } = readGenerated(generated);
  expect(is).toBe(shouldBe);
});

test.each(COPIES)("$copy is $of (npm run docs copies it)", ({ copy, of }) => {
  expect(readFileSync(resolve(ROOT, copy), "utf8")).toBe(readFileSync(resolve(ROOT, of), "utf8"));
});

test("the drawing of the folders matches the order that npm run check enforces", () => {
  const drawn = textOf("docs/architecture.md").matchAll(/^(\w+) +([\w-]+ ◀ .*(?:\n +◀ .*)*)/gm);
  const rooms = [...drawn].flatMap(([, folder, line = ""]) =>
    line.split("◀").map((room) => `${folder}/${room.trim()}`),
  );
  expect(rooms).toEqual(roomsInOrder());
});

test.each(["core", "ledger", "kafka"])("the README of shared/%s has all rooms", (folder) => {
  const readme = textOf(`shared/${folder}/README.md`);
  const [table = ""] = readme.match(/^\| room .*(?:\n\|.*)*/m) ?? [];
  const rows = table.split("\n").slice(2);
  const named = rows.map((row) => `${folder}/${row.match(/[a-z]+(?:-[a-z]+)*/)?.[0]}`);
  expect(named).toEqual(roomsInOrder().filter((room) => room.startsWith(`${folder}/`)));
});

test("the guide to the tests names every folder of them", () => {
  const [table = ""] = textOf("test/README.md").match(/^\| folder .*(?:\n\|.*)*/m) ?? [];
  const named = table
    .split("\n")
    .slice(2)
    .flatMap((row) => row.split("|")[1]?.split(",") ?? []);
  const entries = readdirSync(resolve(ROOT, "test"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(named.map((name) => name.trim()).sort()).toEqual(folders.sort());
});

function roomsInOrder(): string[] {
  const { forbidden }: { forbidden: { comment: string; from: { path?: string } }[] } =
    createRequire(import.meta.url)("../../.dependency-cruiser.cjs");
  return forbidden
    .filter(({ comment }) => comment.startsWith("Rooms have an order"))
    .map(({ from }) => from.path?.match(/\/(\w+\/[\w-]+)\/$/)?.[1] ?? "");
}

test("every page of docs is reached from the README", () => {
  const readme = textOf("README.md");
  const unreached = pages
    .filter(({ name }) => /^docs\/[\w-]+\.md$/.test(name))
    .filter(({ name }) => !readme.includes(`(${name})`));
  expect(unreached.map(({ name }) => name)).toEqual([]);
});
