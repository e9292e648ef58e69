import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";

const ROOT = resolve(import.meta.dirname, "../..");

/** A page of Markdown, named by its path in the repository. */
export interface Page {
  readonly name: string;
  readonly text: string;
}

/** Every page that people read: at the top, in docs and examples, and beside the code. */
export async function readPages(): Promise<Page[]> {
  const where = ["*.md", "{docs,examples,infra,packages,schemas,services,shared,test}/**/*.md"];
  const names = await Array.fromAsync(glob(where, { cwd: ROOT, exclude: ["**/node_modules/**"] }));
  return names.sort().map((name) => ({ name, text: readFileSync(join(ROOT, name), "utf8") }));
}

/** The broken links of a page: to a missing file, or a missing heading. */
export function deadLinks({ name, text }: Page): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const file = path === "" ? join(ROOT, name) : resolve(ROOT, dirname(name), path);
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).has(anchor);
  });
}

/** The paths in backticks on a page that do not exist, relative to the top or to its folder. */
export function missingPaths({ name, text }: Page): string[] {
  const named = [...text.matchAll(/`([\w@.-]+(?:\/[\w@.-]+)*\/?)`/g)].map(([, path = ""]) => path);
  return named.filter((path) => {
    const isPath = OURS.test(path) || FILE.test(path);
    return isPath && !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, dirname(name), path));
  });
}

/** The npm scripts named on a page that are missing in package.json. */
export function missingScripts({ text }: Page): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = ""]) => script);
  return named.filter((script) => !Object.hasOwn(scripts, script));
}

/** The commands of `drawdown` that a page names, or runs in Compose or npm, and that there are not. */
export function missingCommands({ text }: Page, program: Command): string[] {
  const named = text.matchAll(
    /(?:(?:`|compose run --rm |npm run )drawdown(?: --silent)?(?: --)?|cli\/main\.js) ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g,
  );
  return [...named].flatMap(([, first = "", second]) => {
    const command = commandOf(program, first);
    const rest = command?.commands.length === 0 ? undefined : second;
    const isThere = command && (rest === undefined || commandOf(command, rest));
    return isThere ? [] : `${first} ${second ?? ""}`;
  });
}

function commandOf({ commands }: Command, name: string): Command | undefined {
  return commands.find((one) => one.name() === name || one.aliases().includes(name));
}

const ROLES = ["drawdown_owner", "drawdown_app", "drawdown_registry"];

/** The metrics named on a page that no service serves. */
export function missingMetrics({ text }: Page, served: ReadonlySet<string>): string[] {
  const named = [...text.matchAll(/`(drawdown_[a-z_]+)[`{]/g)].map(([, name = ""]) => name);
  return named.filter((name) => !served.has(name) && !ROLES.includes(name));
}

/** The figures under a heading of a page that are not, rounded, among those that performance was measured at. */
export function figuresNotMeasured({ text }: Page, heading: string, performance: Page): number[] {
  const measured = figuresOf(sectionOf(performance.text, "Measured"));
  return figuresOf(sectionOf(text, heading)).filter(
    (figure) => !measured.some((exact) => roundedAs(figure, exact) === figure),
  );
}

function sectionOf(text: string, heading: string): string {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`there is no heading ${heading}`);
  return section;
}

function figuresOf(text: string): number[] {
  const figures = text.match(/\d[\d,]*(?:\.\d+)?/g) ?? [];
  return figures.map((figure) => Number(figure.replaceAll(",", "")));
}

/** `exact` with as many significant digits as `figure` has. */
function roundedAs(figure: number, exact: number): number {
  const digits = String(figure)
    .replace(".", "")
    .replace(/^0+|0+$/g, "").length;
  return Number(exact.toPrecision(Math.max(1, digits)));
}

const OURS = /^(docs|examples|infra|packages|schemas|services|shared|test)\//;
const FILE = /\.(ts|tsx|avsc|sql|csv)$/;

function anchorsOf(text: string): Set<string> {
  const headings = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = ""]) => heading,
  );
  return new Set(headings.map(toAnchor));
}

/** In GitHub's way. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, "");
}
