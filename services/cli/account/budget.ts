import type { Command } from "commander";
import { z } from "zod";
import { budget, budgetFields, budgetPage, toBudget } from "../../../shared/contract/budget.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { BudgetPlace } from "../../../shared/core/budgets/budget.ts";
import { BUDGET_WINDOWS, type BudgetWindow } from "../../../shared/core/budgets/window.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { MicroCredits } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { listBudgets } from "../../../shared/ledger/budgets/list-budgets.ts";
import { deleteBudget, setBudget } from "../../../shared/ledger/budgets/set-budget.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, creditsArgument, idArgument } from "../shell/arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

interface ValueOption extends ByOption {
  readonly value?: string;
}

type Place = Omit<BudgetPlace, "accountId">;
type Limit = Place & { readonly credits: MicroCredits };

const VALUE = ["--value <value>", "of this value; left out: of every value without one"] as const;
const UNKNOWN = "it may or may not have been changed; run it again, which is safe";

export function addBudgetCommands(program: Command): void {
  const budgets = program
    .command("budget")
    .description("what a team, a user or a key may spend of an account's credits");
  addChangeCommand(budgets, "set <account> <dimension> <window> <credits>", {
    does: `set the most that a value of a dimension may spend in a window: ${BUDGET_WINDOWS.join(", ")}`,
    examples: [
      "budget set acme user day 5",
      "budget set acme team month 500 --value search --by support",
    ],
  })
    .option(...VALUE)
    .action(
      (id: string, dimension: string, window: string, credits: string, options: ValueOption) =>
        run(options, (settings) => {
          const limit = {
            ...placeOf(dimension, window, options),
            credits: creditsArgument(credits),
          };
          return set(settings, toRequest(id, options), limit);
        }),
    );
  addChangeCommand(budgets, "delete <account> <dimension> <window>", {
    does: "delete a budget; those of other values stay",
    examples: ["budget delete acme team month --value search"],
  })
    .option(...VALUE)
    .action((id: string, dimension: string, window: string, options: ValueOption) =>
      run(options, (settings) =>
        remove(settings, toRequest(id, options), placeOf(dimension, window, options)),
      ),
    );
  addPageOptions(
    addCommand(budgets, "list <account>", {
      does: "list an account's budgets with what is spent of them, the fullest first",
      examples: ["budget list acme --limit 10"],
    }),
  ).action((id: string, options: PageOptions) =>
    run(options, (settings) => list(settings, accountIdArgument(id), options)),
  );
}

function placeOf(dimension: string, window: string, { value }: ValueOption): Place {
  return {
    dimension: idArgument("the dimension", dimension),
    window: windowArgument(window),
    value: value === undefined ? "" : idArgument("--value", value),
  };
}

function windowArgument(text: string): BudgetWindow {
  const window = BUDGET_WINDOWS.find((known) => known === text);
  if (window === undefined) {
    throw new WrongUsage(`the window must be one of ${BUDGET_WINDOWS.join(", ")}, not "${text}"`);
  }
  return window;
}

const budgetSet = noun({ outcome: z.literal("set"), ...budgetFields });
const budgetDeleted = noun({ outcome: z.literal("deleted") });

async function set(settings: Settings, request: ChangeRequest, limit: Limit): Promise<Result> {
  const by = { ...request, now: Date.now() };
  return withDatabase(settings, async (database) => {
    const outcome = await orUnknown(setBudget(database, by, limit), UNKNOWN);
    if (outcome.kind !== "set") return refused(outcome);
    const of = toBudget(outcome.budget);
    const left = of.value === null ? "" : `; ${formatCredits(of.left)} are left of it`;
    const text = `${nameOf(of)} is ${formatCredits(of.credits)} credits${left}`;
    return shown(budgetSet, { outcome: "set", ...of }, text);
  });
}

async function remove(settings: Settings, request: ChangeRequest, place: Place): Promise<Result> {
  const by = { ...request, now: Date.now() };
  return withDatabase(settings, async (database) => {
    const outcome = await orUnknown(deleteBudget(database, by, place), UNKNOWN);
    if (outcome.kind !== "deleted") return refused(outcome);
    const name = nameOf({ ...place, value: place.value === "" ? null : place.value });
    return shown(budgetDeleted, { outcome: "deleted" }, `${name} is deleted`);
  });
}

function list(settings: Settings, id: AccountId, options: PageOptions): Promise<Result> {
  const asked = pageArgument(options);
  return readAccountBooks(settings, id, async (transaction, { account }) => {
    const page = await budgetPage(asked, (count) =>
      listBudgets(transaction, account, Date.now(), count),
    );
    if (page.items.length === 0) return shown(listOf(budget), page, "There are no budgets.");
    const rows = table(page.items, [
      ["DIMENSION", ({ dimension }) => dimension],
      ["VALUE", ({ value }) => value ?? "(every)"],
      ["WINDOW", ({ window }) => window],
      ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
      ["SPENT", ({ spent }) => formatCredits(spent), "right"],
      ["HELD", ({ held }) => formatCredits(held), "right"],
      ["LEFT", ({ left }) => formatCredits(left), "right"],
      ["TURNS", ({ endsAt }) => (endsAt === null ? "never" : formatInstant(endsAt))],
    ]);
    return shown(listOf(budget), page, [rows, ...moreLines(page.nextCursor)].join("\n"));
  });
}

interface Named extends Pick<Place, "dimension" | "window"> {
  readonly value: string | null;
}

function nameOf({ dimension, window, value }: Named): string {
  const whose = value === null ? `every ${dimension}` : `${dimension} ${value}`;
  const when = window === "all" ? "for all time" : `a ${window}`;
  return `The budget of ${printable(whose)} ${when}`;
}
