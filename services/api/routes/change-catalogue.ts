import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import type { Problem as CatalogueProblem } from "../../../shared/catalogue/problem.ts";
import {
  catalogueChanges,
  toCatalogueChanges,
} from "../../../shared/contract/catalogue-changes.ts";
import { catalogueProblem } from "../../../shared/contract/problem.ts";
import { explainRefusal } from "../../../shared/contract/refusals.ts";
import type { ChangeDecision } from "../../../shared/core/offer/change-catalogue.ts";
import type { RequestedCatalogue } from "../../../shared/core/offer/requested-catalogue.ts";
import type { EventWindow } from "../../../shared/core/usage/usage-event.ts";
import { applyCatalogue, previewCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import { nameOf } from "../access/caller.ts";
import { keyHeader } from "../idempotency.ts";
import { Problem } from "../problem.ts";
import { type RouteContext, route } from "./route.ts";

interface CatalogueContext extends RouteContext {
  readonly usage: { readonly window: EventWindow };
}

/** Less than a file may have: its parsing holds up the requests beside it. */
const MAX_BODY_BYTES = 64 * 1024;

const SECTION = { type: "object" };

/** The bytes of a catalogue file: its numbers are read exactly as written, which JSON.parse does not do. */
const file = z
  .custom<Buffer>(Buffer.isBuffer, "is missing; send a catalogue file as YAML or JSON")
  .meta({
    title: "Catalogue file",
    type: "object",
    description: "A catalogue file (docs/catalogue.md), in JSON, or in YAML as application/yaml.",
    example: { add_ons: { voice_cloning: { credits: 200 } } },
    properties: Object.fromEntries(
      ["meters", "plans", "add_ons", "credit_prices", "dimensions"].map((section) => [
        section,
        SECTION,
      ]),
    ),
    additionalProperties: false,
  });

const REFUSED = {
  description: "The file was refused; nothing changed.",
  content: { "application/problem+json": { schema: catalogueProblem } },
} as const;

const CHANGE = {
  method: "POST",
  access: "catalogue",
  tag: "catalogue",
  headers: keyHeader,
  body: file,
  response: { 200: catalogueChanges, 400: REFUSED, 409: REFUSED, 422: REFUSED },
} as const;

const preview = route(
  {
    ...CHANGE,
    path: "/v1/catalogue/previews",
    summary: "Show what applying a catalogue file would change, without changing it",
  },
  async ({ body }, { database, now, usage }: CatalogueContext) => {
    const { maxAheadMs } = usage.window;
    return changesOf(await previewCatalogue(database, statedIn(body), now(), maxAheadMs), true);
  },
);

const apply = route(
  {
    ...CHANGE,
    path: "/v1/catalogue/changes",
    summary: "Add what a catalogue file states, all of it or nothing",
    description:
      "What the file, of at most 64 KiB, does not name stays as it is. Nothing changes backwards, and the same file again changes nothing. `problems` of a refusal lists what is wrong, by line and field.",
  },
  async (request, { database, now, usage }: CatalogueContext) => {
    const stated = statedIn(request.body);
    const { maxAheadMs } = usage.window;
    const by = nameOf(request);
    return changesOf(await applyCatalogue(database, stated, now(), maxAheadMs, by), false);
  },
);

/** Registers the routes that take a catalogue file. Its bytes are their body. */
export function changeCatalogueRoutes(app: FastifyInstance, context: CatalogueContext): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      ["application/json", "application/yaml"],
      { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES },
      async (_: FastifyRequest, bytes: Buffer) => bytes,
    );
    preview(scope, context);
    apply(scope, context);
  });
}

function statedIn(bytes: Buffer): RequestedCatalogue {
  const parsed = parseCatalogue(bytes);
  if (parsed.kind === "parsed") return parsed.asked;
  throw refused(400, "invalid", parsed.problems);
}

function changesOf(decision: ChangeDecision, isPreview: boolean) {
  if (decision.kind === "changes") return toCatalogueChanges(decision.changes, isPreview);
  const explained = decision.refusals.map((refusal) => ({ refusal, ...explainRefusal(refusal) }));
  const [first] = explained;
  if (first === undefined) throw new Error("a refused catalogue names no refusal");
  throw refused(
    first.status,
    first.refusal.kind,
    explained.map(({ refusal: { place }, sentence: problem }) => ({ ...place, problem })),
  );
}

const MOST_NAMED = 100;

/** The first problem as the answer's own, and up to 100 of all of them by line and field. */
function refused(status: number, code: string, problems: readonly CatalogueProblem[]): Problem {
  const { field, problem } = problems[0] ?? { field: "", problem: "is not a catalogue" };
  const named = field === "" ? "body" : field;
  return new Problem(status, code, `${named}: ${problem}`, {
    field: named,
    members: { problems: problems.slice(0, MOST_NAMED) },
  });
}
