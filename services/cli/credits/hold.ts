import { createHash } from "node:crypto";
import type { Command } from "commander";
import { endedHoldPage, hold, holdPage, toHold } from "../../../shared/contract/hold.ts";
import { listOf } from "../../../shared/contract/page.ts";
import { HOLD_SECONDS, type Hold } from "../../../shared/core/holds/hold.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { changeHolds, type HoldAsked } from "../../../shared/ledger/holds/change-holds.ts";
import {
  listEndedHolds,
  listOpenHolds,
  readHold,
} from "../../../shared/ledger/holds/read-holds.ts";
import { readShortage } from "../../../shared/ledger/payments/read-shortage.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import {
  accountIdArgument,
  creditsArgument,
  idArgument,
  newIdArgument,
  pairsArgument,
  wholeArgument,
} from "../shell/arguments.ts";
import { addChangeCommand, type ByOption, toRequest } from "../shell/change-command.ts";
import { addPageOptions, type PageOptions, pageArgument } from "../shell/paging.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { changedText, holdText, listedText } from "./hold-text.ts";
import { shortageText } from "./shortage-text.ts";

export function addHoldCommands(program: Command): void {
  const group = program
    .command("hold")
    .description("set credits aside for usage to come, and what becomes of them");
  addMakeCommand(group);
  addListCommand(group);
  addShowCommand(group);
  addExtendCommand(group);
  addCaptureCommand(group);
  addReleaseCommand(group);
}

const FOR = ["--for <seconds>", `its time, at most ${HOLD_SECONDS.most}`] as const;

interface ForOption extends JsonOption {
  readonly for: string;
}

interface MakeOptions extends ByOption, ForOption {
  readonly id?: string;
  readonly partial?: true;
  readonly dimension?: readonly string[];
}

function addMakeCommand(group: Command): void {
  addChangeCommand(group, "make <account> <credits>", {
    does: "set credits aside, if as many are available",
    examples: ["hold make acme 2 --id run-4711", "hold make acme 100 --partial --for 3600"],
  })
    .option("--id <id>", "the hold's id; asked for again, it is the same hold (default: a new id)")
    .option(...FOR, String(HOLD_SECONDS.usual))
    .option("--partial", "give what is available where that is less")
    .option("--dimension <name=value...>", "those of the usage to come, for budgets")
    .action((id: string, credits: string, options: MakeOptions) => {
      const { accountId, by } = toRequest(id, options);
      const holdId = newIdArgument("--id", options.id);
      const ttlMs = secondsArgument(options.for) * 1_000;
      const pairs = [...pairsArgument("--dimension", options.dimension ?? [])];
      const dimensions = pairs.length === 0 ? null : Object.fromEntries(pairs.sort());
      const partial = options.partial === true;
      const of = { credits: creditsArgument(credits), partial, ttlMs, dimensions };
      const asked = [String(of.credits), partial, ttlMs, dimensions];
      const request = createHash("sha256").update(JSON.stringify(asked)).digest("hex");
      return change({ kind: "hold", accountId, holdId, request, by, ...of }, options);
    });
}

function addExtendCommand(group: Command): void {
  addCommand(group, "extend <account> <hold>", {
    does: "extend a hold's time, which is never shortened",
    examples: ["hold extend acme run-4711 --for 3600"],
  })
    .option(`${FOR[0]}`, `from now on, at most ${HOLD_SECONDS.most}`, String(HOLD_SECONDS.usual))
    .action((id: string, holdId: string, options: ForOption) => {
      const ttlMs = secondsArgument(options.for) * 1_000;
      return change({ kind: "extend", ...placeOf(id, holdId), ttlMs }, options);
    });
}

function addCaptureCommand(group: Command): void {
  addCommand(group, "capture <account> <hold> <credits>", {
    does: "close a hold with a final amount; what is above it is available at once",
    examples: ["hold capture acme run-4711 1.25"],
  }).action((id: string, holdId: string, credits: string, options: JsonOption) => {
    const final = creditsArgument(credits);
    return change({ kind: "capture", ...placeOf(id, holdId), credits: final }, options);
  });
}

function addReleaseCommand(group: Command): void {
  addCommand(group, "release <account> <hold>", {
    does: "give back what a hold sets aside",
    examples: ["hold release acme run-4711"],
  }).action((id: string, holdId: string, options: JsonOption) =>
    change({ kind: "release", ...placeOf(id, holdId) }, options),
  );
}

function addShowCommand(group: Command): void {
  addCommand(group, "show <account> <hold>", {
    does: "show a hold, for 40 days after its end",
    examples: ["hold show acme run-4711"],
  }).action((id: string, holdId: string, options: JsonOption) =>
    run(options, (settings) => {
      const place = placeOf(id, holdId);
      return readAccountBooks(settings, place.accountId, async (transaction) => {
        const found = await readHold(transaction, place);
        if (found === null) return refused({ kind: "unknown_hold", holdId: place.holdId });
        return shown(hold, toHold(found), holdText(found));
      });
    }),
  );
}

interface ListOptions extends PageOptions {
  readonly ended?: true;
}

function addListCommand(group: Command): void {
  const list = addCommand(group, "list <account>", {
    does: "list an account's open holds, the one that ends first first",
    examples: ["hold list acme", "hold list acme --ended --limit 100"],
  }).option("--ended", "those of the last 40 days that have ended, the last one first");
  addPageOptions(list).action((id: string, options: ListOptions) =>
    run(options, (settings) => {
      const accountId = accountIdArgument(id);
      const page = pageArgument(options);
      return readAccountBooks(settings, accountId, async (transaction) => {
        const holds = options.ended
          ? await endedHoldPage(page, (range) => listEndedHolds(transaction, accountId, range))
          : await holdPage(page, (range) => listOpenHolds(transaction, accountId, range));
        return shown(listOf(hold), holds, listedText(holds));
      });
    }),
  );
}

function placeOf(id: string, holdId: string) {
  return { accountId: accountIdArgument(id), holdId: idArgument("the hold", holdId) };
}

function secondsArgument(text: string): number {
  const seconds = wholeArgument("--for", text, BigInt(HOLD_SECONDS.least));
  if (seconds <= BigInt(HOLD_SECONDS.most)) return Number(seconds);
  throw new WrongUsage(`--for is ${text}; at most ${HOLD_SECONDS.most} seconds are allowed`);
}

/** Asked for again, a change changes nothing more. */
function change(asked: HoldAsked, options: JsonOption): Promise<void> {
  return run(options, (settings) =>
    withDatabase(settings, async (database) => {
      const [outcome] = await orUnknown(
        changeHolds(database, [asked], Date.now()),
        `it may or may not have been done; hold ${asked.holdId} can be asked for again`,
      );
      if (outcome === undefined) throw new Error("a request about a hold has no outcome");
      if (outcome.kind === "insufficient_credits") {
        return refused(outcome, await whyShort(database, asked.accountId));
      }
      if (outcome.kind !== "held") return refused(outcome);
      const changed: Hold = outcome.hold;
      return shown(hold, toHold(changed), changedText(changed));
    }),
  );
}

async function whyShort(database: Database, accountId: AccountId): Promise<string | null> {
  const short = await readSnapshot(database, (transaction) =>
    readShortage(transaction, accountId, Date.now()),
  );
  return short && shortageText(short);
}
