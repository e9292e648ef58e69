import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { PROJECT } from "./lock-file.ts";

const run = promisify(execFile);

const explanations = z.array(
  z.strictObject({
    advisory: z.string().regex(/^GHSA(-[0-9a-z]{4}){3}$/),
    reason: z.string().min(20),
    until: z.iso.date(),
  }),
);
export type Explanation = z.infer<typeof explanations>[number];

/** What `npm audit --json` answers, as far as it matters. */
const auditReport = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      via: z.array(
        z.union([
          // The name of a package that has it.
          z.string(),
          z.object({
            name: z.string(),
            title: z.string(),
            url: z.string(),
            severity: z.string(),
            range: z.string(),
          }),
        ]),
      ),
    }),
  ),
});

export type Audit =
  /** The registry did not answer, or not with a report. */
  { readonly kind: "unasked"; readonly reason: string } | Judged;
interface Judged {
  readonly kind: "judged";
  /** A line for each; none: all is well. */
  readonly problems: readonly string[];
}

/** Asks the registry what is known of the packages in the lock file, those for development too. */
export async function auditPackages(now: number): Promise<Audit> {
  const ask = ["audit", "--json", "--fetch-retries=0", "--fetch-timeout=15000"];
  // npm ends with 1 where it finds something.
  const { stdout } = await run("npm", ask, { cwd: PROJECT, timeout: 30_000 }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  return judge(stdout, readExplanations(), now);
}

export function readExplanations(): Explanation[] {
  return explanations.parse(
    parse(readFileSync(join(import.meta.dirname, "explained.yaml"), "utf8")),
  );
}

/** `answer`: what `npm audit --json` printed. */
export function judge(answer: string, explained: readonly Explanation[], now: number): Audit {
  const report = auditReport.safeParse(parsed(answer));
  if (!report.success) return { kind: "unasked", reason: reasonIn(answer) };
  const found = Object.values(report.data.vulnerabilities).flatMap(({ via }) =>
    via.flatMap((one) => (typeof one === "string" ? [] : [{ ...one, id: idOf(one.url) }])),
  );
  const open = found.flatMap(({ id, name, range, severity, title }) => {
    const explanation = explained.find(({ advisory }) => advisory === id);
    if (explanation === undefined) return [`${name} ${range}: ${title} (${severity}, ${id})`];
    if (Date.parse(explanation.until) >= now) return [];
    return [
      `${name} ${range}: ${title} (${severity}, ${id}), explained until ${explanation.until}`,
    ];
  });
  const needless = explained
    .filter(({ advisory }) => !found.some(({ id }) => id === advisory))
    .map(({ advisory }) => `${advisory} is explained, but not found any more`);
  return { kind: "judged", problems: [...open, ...needless] };
}

function idOf(url: string): string {
  return /GHSA(-[0-9a-z]{4}){3}/.exec(url)?.[0] ?? url;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonIn(answer: string): string {
  const said = z.object({ message: z.string() }).safeParse(parsed(answer));
  // Without the address that was asked.
  return said.success ? said.data.message.split(" - ", 1).join() : "no answer";
}

if (import.meta.main) {
  const audit = await auditPackages(Date.now());
  if (audit.kind === "unasked") {
    console.log(`The registry could not be asked for vulnerabilities: ${audit.reason}`);
  } else if (audit.problems.length === 0) {
    console.log(
      "No vulnerability is known that infra/supply-chain/explained.yaml does not explain.",
    );
  } else {
    console.error(audit.problems.join("\n"));
    console.error("Update the package, or explain it in infra/supply-chain/explained.yaml.");
    process.exitCode = 1;
  }
}
