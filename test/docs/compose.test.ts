import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { STATEMENTS } from "../../infra/postgres/create-roles.ts";
import { tempFolder } from "../support/temp-folder.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const fileOf = (path: string) => readFileSync(join(PROJECT, path), "utf8");

const words = z.array(z.string());
const service = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.unknown()).optional(),
  build: z.object({ dockerfile: z.string() }).optional(),
  pull_policy: z.string().optional(),
  entrypoint: words.optional(),
  command: words.optional(),
  profiles: words.optional(),
  ports: words.optional(),
  restart: z.string(),
  read_only: z.boolean().optional(),
  cap_drop: words.optional(),
  mem_limit: z.string(),
  healthcheck: z.object({ disable: z.boolean().optional() }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
});
const text = fileOf("docker-compose.yml");
const { services } = z
  .object({ services: z.record(z.string(), service) })
  .parse(parse(text, { merge: true }));
const all = Object.entries(services);
const ours = all.filter(([, { image }]) => image === "drawdown");
const namesOf = (some: typeof all) => some.map(([name]) => name);

describe("docker-compose.yml", () => {
  test("one service builds the project's image, and the others wait for it", () => {
    expect(ours.length).toBeGreaterThan(5);
    expect(namesOf(ours.filter(([, { build }]) => build !== undefined))).toEqual([
      "database-roles",
    ]);
    // Nothing is fetched of that name: the image is never that of somebody else.
    for (const [name, { pull_policy }] of ours) {
      expect([name, pull_policy]).toEqual([name, name === "database-roles" ? "build" : "never"]);
    }
  });

  test("only set-up has the owner's role of Postgres, and only the roles' maker the superuser's", () => {
    const having = (part: RegExp) =>
      namesOf(all.filter(([, { environment }]) => part.test(JSON.stringify(environment))));
    expect(having(/drawdown_owner/)).toEqual(["set-up"]);
    expect(having(/POSTGRES_PASSWORD/)).toEqual(["postgres", "database-roles"]);
    expect(having(/drawdown_registry/)).toEqual(["registry"]);
  });

  test("nothing is published beyond this machine", () => {
    const ports = all.flatMap(([, { ports }]) => ports ?? []);
    expect(ports.length).toBeGreaterThan(5);
    expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
  });

  test("the project's containers write nothing, keep no privilege and have a limit", () => {
    for (const [name, { read_only, cap_drop }] of ours) {
      expect([name, read_only, cap_drop]).toEqual([name, true, ["ALL"]]);
    }
  });

  test("the links come once each service of the stack is alive, as its image says", () => {
    const alive = ours.filter(
      ([, { healthcheck, profiles }]) => healthcheck?.disable !== true && profiles === undefined,
    );
    const waited = Object.entries(services["links"]?.depends_on ?? {});
    expect(waited.map(([name]) => name).sort()).toEqual(namesOf(alive).sort());
    for (const [, { condition }] of waited) expect(condition).toBe("service_healthy");
  });

  test("each image has a stand-in for machines without a registry, but Grafana's", () => {
    const made = fileOf("infra/docker/stand-ins/build.sh");
    const images = new Set([...all.map(([, { image }]) => image), baseOf(dockerfile)]);
    const without = [...images].filter((image) => !made.includes(`stand_in ${image} `));
    expect(without.map((image) => image.replace(/:.*/, "")).sort()).toEqual([
      "drawdown",
      "grafana/grafana",
    ]);
  });
});

const required = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name = ""]) => name));
const isComposeThere = spawnSync("docker", ["compose", "version"]).status === 0;

describe.skipIf(!isComposeThere)("Compose", () => {
  const config = async (environment: Readonly<Record<string, string>>, ...args: string[]) => {
    // Without the file .env of whoever runs the tests.
    const file = join(await tempFolder(), "none.env");
    writeFileSync(file, "");
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment };
    return spawnSync("docker", ["compose", "--env-file", file, ...args], {
      ...{ cwd: PROJECT, env, encoding: "utf8" },
    });
  };
  const secrets = Object.fromEntries([...required].map((name) => [name, "secret"]));
  const scale = ["--env-file", "infra/docker/scale.env"];

  test.each([
    { of: "the stack", args: [], has: ["api"], hasNot: ["grafana", "kafka-3"] },
    {
      of: "observability",
      args: ["--profile", "observability"],
      has: ["prometheus", "grafana"],
      hasNot: [],
    },
    {
      of: "scale",
      args: scale,
      has: ["kafka-2", "kafka-3", "metering-2", "metering-3"],
      hasNot: ["grafana"],
    },
  ])("accepts the file: $of", async ({ args, has, hasNot }) => {
    const { stdout, stderr } = await config(secrets, ...args, "config", "--services");
    expect(stderr).toBe("");
    const found = stdout.trim().split("\n");
    expect(found).toEqual(expect.arrayContaining([...has, "metering", "postgres"]));
    expect(found.filter((name) => hasNot.includes(name))).toEqual([]);
  });

  test("starts nothing without a secret, and says what makes them", async () => {
    const { KAFKA_PASSWORD: _, ...others } = secrets;
    const { status, stderr } = await config(others, "config");
    expect(status).not.toBe(0);
    expect(stderr).toContain("KAFKA_PASSWORD");
    expect(stderr).toContain("run infra/docker/make-secrets.sh");
  });
});

describe("secrets", () => {
  test("none has a default", () => {
    const defaults = [...text.matchAll(/\$\{(\w*(?:PASSWORD|SECRET)\w*)(?!:\?)[^}]*\}/g)];
    // Stripe's stay empty where another gateway is used.
    expect(defaults.map(([all]) => all.slice(2, -1))).toEqual([
      "STRIPE_SECRET_KEY:-",
      "STRIPE_WEBHOOK_SECRET:-",
    ]);
  });

  test("one command makes all that are needed, each its own, for its user's eyes only, once", async () => {
    const file = join(await tempFolder(), ".env");
    const make = () =>
      execFileSync(join(PROJECT, "infra/docker/make-secrets.sh"), [file], {
        env: { PATH: process.env["PATH"], KAFKA_PASSWORD: "given" },
      });
    make();
    const first = readFileSync(file, "utf8");
    const made = new Map(
      first
        .trim()
        .split("\n")
        .map((line) => line.split("=", 2) as [string, string]),
    );
    expect(new Set(made.keys())).toEqual(required);
    expect(new Set(made.values()).size).toBe(required.size);
    expect(made.get("KAFKA_PASSWORD")).toBe("given");
    for (const [name, value] of made) {
      if (name !== "KAFKA_PASSWORD") expect(value).toMatch(/^[0-9a-f]{48}$/);
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
    make();
    expect(readFileSync(file, "utf8")).toBe(first);
  });
});

const dockerfile = fileOf("infra/docker/Dockerfile");

describe("the image", () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  const commands = ours.map(([, { entrypoint = [], command = [] }]) => [...entrypoint, ...command]);
  const files = new Set(
    [...commands.flat(), ...last.matchAll(/"([^"]+\.js)"/g)].flatMap((word) => {
      const file = typeof word === "string" ? word : word[1];
      return file?.endsWith(".js") ? [file] : [];
    }),
  );

  test("runs as nobody in particular, says whether it is alive, and takes no dev dependencies along", () => {
    expect(last).toMatch(/^USER 1000:1000$/m);
    expect(last).toMatch(/^HEALTHCHECK .* CMD \["node", "infra\/docker\/ask-livez\.js"\]$/m);
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(fileOf("package.json")));
    expect(last).toContain(`ARG VERSION=${version}\n`);
    expect(last).toMatch(/org\.opencontainers\.image\.version="\$VERSION"/);
    expect(dockerfile).toMatch(/npm ci --omit=dev/);
    expect(last).not.toMatch(/--from=build \S*node_modules/);
  });

  test("has every file that a command runs, compiled", async () => {
    const out = await tempFolder();
    const compile = ["-p", "infra/docker", "--noCheck", "--declaration", "false", "--outDir", out];
    expect(dockerfile).toContain(compile.slice(0, -1).join(" "));
    execFileSync(join(PROJECT, "node_modules/.bin/tsc"), compile, { cwd: PROJECT });
    expect(files.size).toBeGreaterThan(9);
    expect([...files].filter((file) => !existsSync(join(out, file)))).toEqual([]);
    expect(existsSync(join(out, "services/top-up/set-up/main.js"))).toBe(true);
  });
});

function baseOf(file: string): string {
  return /^FROM (\S+)/m.exec(file)?.[1] ?? "";
}

test("the page on trust shows what an administrator of Postgres runs", () => {
  expect(fileOf("docs/trust.md")).toContain(["```sql", ...STATEMENTS, "```"].join("\n"));
});
