import { above0, commandFlags } from "../support/command-flags.ts";
import { unpackRelease } from "./release.ts";
import { upgrade } from "./upgrade.ts";

const HELP = `npm run test:upgrade -- [--seconds S] [--from COMMIT]

Runs a release under load, sets this version up beside it, runs both, stops the release, and compares all that
was published and charged with the books.

  --seconds S     how long usage flows in each of three phases at least (default 20)
  --from COMMIT   the release (default: that of infra/last-release.json)
  --help          shows this help

Exit codes: 0 all is well; 1 something was lost, came twice, is wrong or failed; 2 wrong usage.`;

const { seconds, from } = commandFlags(
  HELP,
  { seconds: { type: "string", default: "20" }, from: { type: "string" } },
  ({ seconds, from }) => ({ seconds: above0("--seconds", seconds), from }),
);
const began = performance.now();
const note = (line: string) =>
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
const { events, charges, findings } = await upgrade(await unpackRelease(from), {
  phaseMs: seconds * 1_000,
  note,
});
for (const finding of findings.slice(0, 50)) note(finding);
note(`${events} events and ${charges} charges compared: ${findings.length} findings`);
process.exit(findings.length === 0 ? 0 : 1);
