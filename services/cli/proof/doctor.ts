import type { Command } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import {
  checkInvariants,
  type Finding,
  INVARIANTS,
} from "../../../shared/ledger/proof/invariants.ts";
import { readBacklogs, webhookTrouble } from "../../../shared/ledger/webhooks/backlog.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { printable } from "../shell/print.ts";
import { openProgress } from "../shell/progress.ts";
import { type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { explainRights, withDatabase } from "../shell/with-database.ts";

export function addDoctorCommand(program: Command): void {
  addCommand(program, "doctor", {
    does: "check everything that must be true of the books; metering may go on",
    examples: ["doctor", "doctor --json"],
  }).action((options: JsonOption) => run(options, doctor));
}

const diagnosis = noun({
  webhooks: z
    .array(noun({ endpoint_id: z.string(), host: z.string(), trouble: z.string() }))
    .meta({ description: "Endpoints that are not delivered to as they should be." }),
  invariants: z.array(
    noun({
      holds: z.string(),
      ok: z.boolean(),
      accounts: z.array(z.string()),
      means: z.string().optional(),
    }),
  ),
});

async function doctor(settings: Settings): Promise<Result> {
  using progress = openProgress(INVARIANTS.length, countOf(INVARIANTS.length, "invariant"));
  const [findings, backlogs] = await withDatabase(settings, async (database) => {
    await explainRights(database);
    const found = await checkInvariants(database, () => progress.add(1));
    return [found, await readBacklogs(database, 1)] as const;
  });
  const webhooks = backlogs.flatMap((backlog) => {
    const trouble = webhookTrouble(backlog);
    return trouble === null ? [] : [{ ...backlog, trouble }];
  });
  const broken = findings.filter(({ accounts }) => accounts.length > 0);
  const failure =
    broken.length === 0 ? null : `the books violate ${countOf(broken.length, "invariant")}`;
  const invariants = findings.map(({ invariant, accounts }) => ({
    ...{ holds: invariant.holds, ok: accounts.length === 0, accounts },
    means: accounts.length === 0 ? undefined : invariant.broken,
  }));
  const text = [findingsText(findings), ...webhooks.map(webhookText)].join("\n");
  return shown(diagnosis, { invariants, webhooks }, text, failure);
}

function webhookText(webhook: { endpointId: string; host: string; trouble: string }): string {
  const { endpointId, host, trouble } = webhook;
  return printable(`WEBHOOK ${endpointId} at ${host} is ${trouble}`);
}

function findingsText(findings: readonly Finding[]): string {
  return findings
    .map(({ invariant, accounts }) => {
      if (accounts.length === 0) return `ok      ${invariant.holds}`;
      const where = accounts.map(printable).join(", ");
      return `BROKEN  ${invariant.holds}\n        ${invariant.broken}\n        accounts: ${where}`;
    })
    .join("\n");
}
