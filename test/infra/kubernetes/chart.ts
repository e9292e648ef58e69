import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { tempFolder } from "../../support/temp-folder.ts";
import type { Tools } from "./tools.ts";

const run = promisify(execFile);

export const PROJECT = join(import.meta.dirname, "..", "..", "..");
const KUBERNETES = join(PROJECT, "infra", "kubernetes");
export const CHART = join(KUBERNETES, "drawdown");
export const EXAMPLE = join(KUBERNETES, "example-values.yaml");
export const ADAPTER = join(KUBERNETES, "prometheus-adapter.yaml");

const variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) })
    .optional(),
});
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const container = z.object({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()),
  env: z.array(variable),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z
    .object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) })
    .optional(),
  securityContext: z.unknown(),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const pod = z.object({
  terminationGracePeriodSeconds: z.number().optional(),
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  securityContext: z.unknown(),
  containers: z.tuple([container]),
  volumes: z.array(z.object({ name: z.string() })),
});
const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

export type Manifest = z.infer<typeof manifest>;
export type Pod = ReturnType<typeof podsOf>[number];

/** Runs Helm; throws what it says. */
export async function helm({ helm }: Tools, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run(helm, args, { maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr || String(error));
  }
}

/** The manifests that a cluster would get of the release `drawdown`. */
export function render(tools: Tools, ...args: string[]): Promise<string> {
  return helm(tools, "template", "drawdown", CHART, ...args);
}

export function manifestsIn(text: string): Manifest[] {
  const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
  return z.array(manifest).parse(documents.filter((document) => document !== null));
}

/** What kubernetes-validate says of the manifests against the schemas of a version of Kubernetes. */
export async function validate({ validator }: Tools, text: string, version: string) {
  const file = join(await tempFolder(), "manifests.yaml");
  await writeFile(file, text);
  const { stdout, isValid } = await run(validator, [
    "--strict",
    "--quiet",
    "-k",
    version,
    file,
  ]).then(
    ({ stdout }) => ({ stdout, isValid: true }),
    ({ stdout }: { stdout: string }) => ({ stdout, isValid: false }),
  );
  return { isValid, lines: stdout.replaceAll(`${file} `, "").split("\n").filter(Boolean) };
}

interface Fault {
  /** A template. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The chart with faults in its templates, rendered. */
export async function renderFaulty(tools: Tools, faults: readonly Fault[]): Promise<string> {
  const folder = join(await tempFolder(), "drawdown");
  await cp(CHART, folder, { recursive: true });
  for (const { file, from, to } of faults) {
    const path = join(folder, "templates", file);
    const text = await readFile(path, "utf8");
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    await writeFile(path, text.replace(from, to));
  }
  return helm(tools, "template", "drawdown", folder);
}

/** The pods of Deployments, and of set-up, by their component. */
export function podsOf(manifests: readonly Manifest[]) {
  const workload = z.object({ spec: z.object({ template: z.object({ spec: pod }) }) });
  return manifests
    .filter(({ kind }) => kind === "Deployment" || kind === "Job")
    .map((one) => {
      const { spec } = workload.parse(one).spec.template;
      const [first] = spec.containers;
      return { of: first.name, ...spec, container: first };
    });
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((one) => one.kind === kind);
}

/** The variables of a pod's container, with what `secretOf` answers for a key of a Secret. */
export function environmentOf(
  manifests: readonly Manifest[],
  { container: { env, envFrom } }: Pod,
  secretOf: (key: string) => string,
): Record<string, string> {
  const configMap = z.object({ data: z.record(z.string(), z.string()) });
  const shared = envFrom.flatMap(({ configMapRef: { name } }) => {
    const found = ofKind(manifests, "ConfigMap").find(({ metadata }) => metadata.name === name);
    return Object.entries(configMap.parse(found).data);
  });
  const own = env.map(({ name, value, valueFrom }) => [
    name,
    value ?? secretOf(valueFrom?.secretKeyRef.key ?? ""),
  ]);
  return Object.fromEntries([...shared, ...own]);
}
