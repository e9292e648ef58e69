/** Imports go one way: services -> reconcile -> kafka -> ledger -> core, with runtime beside; see docs/architecture.md. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** The rooms of a folder, lowest first. A room imports the rooms before it and none after it. */
const ROOMS = {
  "shared/core": [
    "line",
    "offer",
    "text",
    "budgets",
    "holds",
    "alerts",
    "month",
    "changes",
    "usage",
    "payments",
    "history",
    "webhooks",
  ],
  "shared/ledger": [
    ...["postgres", "outbox", "alerts", "catalogue", "access", "books", "budgets", "holds"],
    ...["credits", "usage", "month", "payments", "webhooks", "dead-letters"],
    ...["replay", "proof", "housekeeping", "privacy"],
  ],
  "shared/kafka": [
    "records",
    "patches",
    "codec",
    "client",
    "consume",
    "health",
    "publish",
    "replay",
  ],
  "services/cli": [
    ...["shell", "credits", "subscription", "account", "catalogue", "payments"],
    ...["usage", "dead-letters", "operate", "webhooks", "proof", "what-if", "privacy"],
  ],
  "services/dashboard": [
    ...["api", "text", "live", "parts", "state", "access"],
    ...["line", "spend", "activity", "account", "operators", "page"],
  ],
};

/** A folder's rooms in their order; a file in a folder that is no room, or in none, is refused too. */
function inOrder([folder, rooms]) {
  const rules = rooms.map((room, at) =>
    forbid(
      `${folder.replaceAll("/", "-")}-${room}`,
      `Rooms have an order: ${room} imports ${rooms.slice(0, at).join(", ") || "no other room"}.`,
      { path: `^${folder}/${room}/` },
      { path: `^${folder}/`, pathNot: `^${folder}/(${rooms.slice(0, at + 1).join("|")})/` },
    ),
  );
  const outside = forbid(
    `${folder.replaceAll("/", "-")}-has-rooms`,
    "Every file lies in a room; only what is wired at the top lies beside them.",
    {
      path: `^${folder}/(?!(${rooms.join("|")}|build)/|main\\.tsx?$|program\\.ts$|drawdown\\.mjs$|vite\\.config\\.ts$)`,
    },
    {},
  );
  return [...rules, outside];
}

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).flatMap(inOrder),
    forbid("no-cycles", "A cycle means two files are one idea.", {}, { circular: true }),
    forbid(
      "core-is-pure",
      "The core imports nothing but itself and Temporal.",
      { path: "^shared/core/" },
      { pathNot: "^shared/core/|temporal-polyfill" },
    ),
    forbid(
      "ledger-below-kafka",
      "The ledger knows Postgres and the core, not Kafka and not who calls it.",
      { path: "^shared/ledger/" },
      { path: "^(shared/(kafka|client|contract|runtime)|services|infra|test)/|kafkajs|avsc" },
    ),
    forbid(
      "contract-knows-core",
      "The shape of each noun, for API, client, dashboard and --json, stands on the core alone.",
      { path: "^shared/contract/" },
      { pathNot: "^shared/(core|contract)/|/zod/" },
    ),
    forbid(
      "kafka-below-reconcile",
      "Reconciling brings topics and books together; neither knows of it.",
      { path: "^shared/(core|ledger|kafka|catalogue|client|runtime)/" },
      { path: "^shared/reconcile/" },
    ),
    forbid(
      "catalogue-file-knows-core",
      "Reading the catalogue file is beside the ledger: what is read is decided on there.",
      { path: "^shared/catalogue/" },
      { path: "^shared/(ledger|kafka|client|runtime)/" },
    ),
    forbid(
      "shared-below-services",
      "What is shared does not know who uses it.",
      { path: "^shared/" },
      { path: "^(services|infra|test)/" },
    ),
    forbid(
      "services-meet-in-kafka",
      "Services do not import each other: they meet in Kafka and in the ledger.",
      { path: "^services/([^/]+)/" },
      { path: "^services/", pathNot: "^services/$1/" },
    ),
    forbid(
      "dashboard-runs-in-browsers",
      "The dashboard reads the API; of the rest it may share only what is pure.",
      { path: "^services/dashboard/" },
      { path: "^(shared/(?!(core|contract)/)|infra/|test/)" },
    ),
    forbid(
      "dashboard-loads-no-codecs",
      "The dashboard takes the types of the contract; zod would be most of what a page loads.",
      { path: "^services/dashboard/" },
      { path: "^shared/contract/", dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "infra-below-services",
      "What sets the stack up and starts it does not import the services.",
      { path: "^infra/" },
      { path: "^(services|test)/" },
    ),
    forbid(
      "not-to-tests",
      "Nothing but tests imports tests.",
      { pathNot: "^(test/|vitest.config.ts)" },
      { path: "^test/" },
    ),
    forbid(
      "traces-load-when-on",
      "The SDK of OpenTelemetry is loaded where traces are switched on, and nowhere else.",
      { pathNot: "^shared/runtime/tracing/otlp-tracing\\.ts$" },
      { path: "@opentelemetry/", dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "traces-load-late",
      "Switching traces on imports what loads the SDK; nothing does before.",
      {},
      { path: "^shared/runtime/tracing/otlp-tracing\\.ts$", dynamic: false },
    ),
    forbid("resolvable", "The import leads nowhere.", {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
