import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { fencedBlocks } from "./readme-blocks.ts";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const MODULES = join(REPOSITORY, "node_modules");
const TSC = join(MODULES, ".bin/tsc");
const INSTALL = /^pip install (\S+)$/;

type Language = "typescript" | "python";

/** The API that a client is for, and the account that it is about. */
interface Place {
  readonly folder: string;
  readonly origin: string;
  readonly key: string;
  readonly account: string;
  /** A Python that has what the page installs. */
  readonly python: string | null;
}

/** The package that docs/api.md installs to generate a client in Python. */
export async function pythonGenerator(): Promise<string> {
  const { commands } = await readGuide("python");
  const [, name] = commands.map((command) => INSTALL.exec(command)).find(Boolean) ?? [];
  if (name === undefined) throw new Error("docs/api.md installs no generator for Python");
  return name;
}

/**
 * Generates a client with the commands of docs/api.md, and checks the types of the page's program. The
 * result runs the program, with pages of one item; it returns the lines that are printed.
 */
export async function generateClient(
  language: Language,
  { folder, origin, key, account, python }: Place,
): Promise<() => Promise<string[]>> {
  const { commands, program } = await readGuide(language);
  const cwd = join(folder, `client-${language}`);
  await mkdir(cwd);
  const bins = [join(MODULES, ".bin"), ...(python === null ? [] : [dirname(python)])];
  const PATH = [...bins, process.env["PATH"]].join(delimiter);
  const env = { ...process.env, PATH, KEY: key };
  const sh = async (command: string) => (await run("sh", ["-c", command], { cwd, env })).stdout;
  const here = (text: string) => text.replaceAll("http://127.0.0.1:8088", origin);

  if (language === "typescript") {
    await symlink(MODULES, join(cwd, "node_modules"));
    await writeFile(join(cwd, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(cwd, "tsconfig.json"), JSON.stringify(TSCONFIG));
  }
  for (const command of commands.filter((each) => !INSTALL.test(each))) await sh(here(command));
  const text = here(program)
    .replaceAll('"acme"', `"${account}"`)
    .replace(/\b100\b/, "1");
  await writeFile(join(cwd, FILE[language]), text);
  if (language === "typescript") await run(TSC, ["-p", cwd]);
  return async () => (await sh(RUN[language])).trimEnd().split("\n");
}

const SHOWN_AS = { typescript: "ts", python: "python" };
const FILE = { typescript: "main.ts", python: "main.py" };
const RUN = { typescript: "node main.js", python: "python main.py" };

const TSCONFIG = {
  compilerOptions: {
    ...{ module: "nodenext", target: "es2024", types: ["node"] },
    ...{ strict: true, skipLibCheck: true },
  },
  files: ["main.ts"],
};

/** The commands and the program that docs/api.md shows for a language. */
async function readGuide(language: Language) {
  const page = await readFile(join(REPOSITORY, "docs/api.md"), "utf8");
  const [, section = ""] = page.split("## Generate a client\n");
  const blocks = fencedBlocks(section);
  const at = blocks.findIndex((block) => block.language === SHOWN_AS[language]);
  const commands = blocks[at - 1]?.text.trim().split("\n") ?? [];
  return { commands, program: blocks[at]?.text ?? "" };
}
