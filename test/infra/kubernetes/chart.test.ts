import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readApiSettings } from "../../../services/api/settings.ts";
import { readPaymentSettings } from "../../../services/top-up/settings.ts";
import { WEBHOOK_PATH } from "../../../services/top-up/webhook-server.ts";
import { openHealth } from "../../../shared/runtime/health/health.ts";
import { serveHealth } from "../../../shared/runtime/health/serve-health.ts";
import { openMetrics } from "../../../shared/runtime/metrics/metrics.ts";
import { STOP_WITHIN_MS } from "../../../shared/runtime/run-service.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { settingNames } from "../../docs/settings-table.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { documentedMetrics, metricsIn, RULES_FILE } from "../observability/observability.ts";
import {
  ADAPTER,
  CHART,
  EXAMPLE,
  environmentOf,
  helm,
  manifestsIn,
  ofKind,
  type Pod,
  PROJECT,
  podsOf,
  render,
  renderFaulty,
  validate,
} from "./chart.ts";
import { findTools } from "./tools.ts";

const fileOf = (path: string) => readFileSync(join(PROJECT, path), "utf8");
/** The oldest that the chart is for, and the newest of which there are schemas. */
const VERSIONS = ["1.30", "1.37"];
const SERVICES = ["api", "metering", "scheduler", "top-up", "webhooks"];
/** Settings that are secrets, and those that the chart sets itself. */
const SECRETS = [
  ...["DATABASE_URL", "DATABASE_OWNER_URL", "KAFKA_SASL_PASSWORD", "SCHEMA_REGISTRY_PASSWORD"],
  ...["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"],
];
const FIXED = [
  "HEALTH_HOST",
  "HEALTH_PORT",
  "API_HOST",
  "API_PORT",
  "WEBHOOK_HOST",
  "WEBHOOK_PORT",
];

const tools = await findTools();

test("chart and image have the version of the project", () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(fileOf("package.json")));
  const chart = z.looseObject({ version: z.string(), appVersion: z.string() });
  const found = chart.parse(parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")));
  expect([found.version, found.appVersion]).toEqual([version, version]);
});

test("the values may have every setting of the page, other than secrets and what the chart sets", () => {
  const { definitions } = z
    .object({
      definitions: z.object({
        settings: z.object({ propertyNames: z.object({ enum: z.array(z.string()) }) }),
      }),
    })
    .parse(JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")));
  const left = [...SECRETS, ...FIXED, "NODE_ENV"];
  const names = settingNames("Every service", "The API", "The top-up service").filter(
    (name) => !left.includes(name) && !name.startsWith("SIMULATED_"),
  );
  expect(definitions.settings.propertyNames.enum).toEqual(names);
});

describe.skipIf(tools === null)("the chart for Kubernetes", async () => {
  if (tools === null) return;
  const texts = {
    "with its defaults": await render(tools),
    "with all that it can do": await render(tools, "--values", EXAMPLE),
  };
  const manifests = manifestsIn(texts["with its defaults"]);
  const full = manifestsIn(texts["with all that it can do"]);
  const cases = Object.entries(texts).map(([how, text]) => ({ how, text }));

  test.each([
    { how: "its defaults", values: [] },
    { how: "all that it can do", values: ["--values", EXAMPLE] },
  ])("passes helm lint --strict with $how", async ({ values }) => {
    expect(await helm(tools, "lint", "--strict", CHART, ...values)).toContain("0 chart(s) failed");
  });

  describe.each(cases)("$how", ({ text }) => {
    test.each(VERSIONS)("fits the schemas of Kubernetes %s", async (version) => {
      const { isValid, lines } = await validate(tools, text, version);
      const unknown = lines.map((line) => /for kind (\w+) with api version (\S+)/.exec(line)?.[0]);
      expect({ isValid, unknown }).toEqual({
        isValid: true,
        // The operator's own, of which Kubernetes has no schemas.
        unknown: text.includes("kind: PodMonitor")
          ? ["PodMonitor", "PrometheusRule"].map(
              (kind) => `for kind ${kind} with api version monitoring.coreos.com/v1`,
            )
          : [],
      });
    });

    test("every pod is one of nobody's, with a limit of memory and without the cluster's secrets", () => {
      const pods = podsOf(manifestsIn(text));
      expect(pods.map(({ of }) => of).sort()).toEqual(
        ["api", "metering", "scheduler", "set-up", "top-up", "webhooks"].sort(),
      );
      for (const { securityContext, container, ...pod } of pods) {
        expect(securityContext).toEqual({
          ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
          seccompProfile: { type: "RuntimeDefault" },
        });
        expect(container.securityContext).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ["ALL"] },
        });
        expect(pod.automountServiceAccountToken).toBe(false);
        expect(pod.enableServiceLinks).toBe(false);
        expect(container.resources.limits.memory).toMatch(/^\d+[MG]i$/);
      }
    });
  });

  test("validation finds planted faults, each by its name", async () => {
    const text = await renderFaulty(tools, [
      { file: "disruption-budgets.yaml", from: "AlwaysAllow", to: "[AlwaysAllow]" },
      { file: "network-policies.yaml", from: "podSelector:", to: "podSelectors:" },
      { file: "_helpers.tpl", from: "key: {{ index . 1 }} }", to: "}" },
    ]);
    const { isValid, lines } = await validate(tools, text, "1.37");
    expect(isValid).toBe(false);
    for (const said of [
      /poddisruptionbudget\/drawdown-api .* \['AlwaysAllow'\] is not of type 'string'/,
      /networkpolicy\/drawdown-deny .* \('podSelectors' was unexpected\)/,
      /deployment\/drawdown-api .* 'key' is a required property/,
    ]) {
      expect(lines.join("\n")).toMatch(said);
    }
  });

  test.each([
    ["a setting that there is not", "--set", "settings.KAFKA_BROKER=k:9092", "KAFKA_BROKER"],
    [
      "a number that Helm would write as 3.024e+06",
      "--set",
      "settings.API_STREAMS_PER_ACCOUNT=9",
      "string",
    ],
    ["a password", "--set", "settings.KAFKA_SASL_PASSWORD=x", "KAFKA_SASL_PASSWORD"],
    ["a gateway that takes no money", "--set", "settings.PAYMENT_GATEWAY=simulated", "stripe"],
    ["no Kafka", "--set", "settings.KAFKA_BROKERS=null", "KAFKA_BROKERS"],
    ["no Secret", "--set", "secrets.services=", "pattern"],
    ["a service that there is not", "--set", "services.meter.replicas=1", "meter"],
    ["a misspelt value", "--set", "autoscalling.enabled=true", "autoscalling"],
    [
      "more metering than partitions",
      "--set",
      "autoscaling.enabled=true,autoscaling.maxReplicas=5",
      "usage.events has 4 partitions",
    ],
    [
      "less metering at most than at least",
      "--set",
      "autoscaling.enabled=true,autoscaling.minReplicas=4,autoscaling.maxReplicas=3",
      "minReplicas is 4, more than maxReplicas, which is 3",
    ],
    [
      "an Ingress whose address would be that of all customers",
      "--set",
      "ingress.enabled=true",
      "ingress.enabled needs settings.API_TRUSTED_PROXIES",
    ],
    ["a host that is none", "--set", "ingress.host=a b", "pattern"],
  ])("values are refused that have %s", async (_, option, value, said) => {
    await expect(render(tools, option, value)).rejects.toThrow(said);
  });

  test.each(cases)("$how, each service accepts the settings that it is given", async ({ text }) => {
    const rendered = manifestsIn(text);
    const certificate = join(await tempFolder(), "ca.pem");
    await writeFile(certificate, "a certificate");
    for (const pod of podsOf(rendered)) {
      const given = environmentOf(rendered, pod, (key) =>
        key.startsWith("DATABASE") ? "postgresql://a:b@postgres/drawdown" : "secret",
      );
      const env = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [
          name,
          isMounted(pod, value) ? certificate : value,
        ]),
      );
      const settings = readSettings(env);
      if (pod.of === "set-up") expect(settings.databaseOwner).not.toBeNull();
      else expect(settings.databaseOwner).toBeNull();
      if (pod.of === "api") expect(readApiSettings(env)).toMatchObject({ port: 8088 });
      if (pod.of !== "top-up") continue;
      // What the image sets.
      const payments = readPaymentSettings({ ...env, NODE_ENV: "production" });
      expect(payments).toMatchObject({ gateway: { name: "stripe" }, webhooks: { port: 8095 } });
    }
  });

  test("secrets are read from Secrets only, and each by whoever needs it", () => {
    const by = (rendered: typeof full) =>
      Object.fromEntries(
        podsOf(rendered).map(({ of, container: { env } }) => [
          of,
          env.flatMap(({ valueFrom }) =>
            valueFrom === undefined
              ? []
              : [`${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}`],
          ),
        ]),
      );
    const stripe = ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"].map(
      (key) => `drawdown-payments/${key}`,
    );
    expect(by(manifests)).toEqual({
      ...Object.fromEntries(SERVICES.map((name) => [name, ["drawdown/DATABASE_URL"]])),
      "top-up": ["drawdown/DATABASE_URL", ...stripe],
      "set-up": ["drawdown/DATABASE_URL", "drawdown-set-up/DATABASE_OWNER_URL"],
    });
    const keys = ["DATABASE_URL", "KAFKA_SASL_PASSWORD", "SCHEMA_REGISTRY_PASSWORD"];
    const of = (secret: string) => keys.map((key) => `${secret}/${key}`);
    expect(by(full)).toEqual({
      ...Object.fromEntries(SERVICES.map((name) => [name, of("drawdown")])),
      metering: of("drawdown-metering"),
      "top-up": [...of("drawdown"), ...stripe],
      "set-up": [...of("drawdown-set-up"), "drawdown-set-up/DATABASE_OWNER_URL"],
    });
    for (const { container } of podsOf(full)) {
      const given = container.env.filter(({ value }) => value !== undefined);
      expect(
        given.filter(({ name }) => /URL$|PASSWORD|SECRET|KEY/.test(name) && SECRETS.includes(name)),
      ).toEqual([]);
    }
    expect(ofKind(full, "Secret")).toEqual([]);
  });

  test("commands are those of the compose file", () => {
    const service = z.object({ command: z.array(z.string()).optional() });
    const { services } = z
      .object({ services: z.record(z.string(), service) })
      .parse(parse(fileOf("docker-compose.yml"), { merge: true }));
    for (const { of, container } of podsOf(manifests)) {
      expect([of, container.command]).toEqual([of, services[of]?.command]);
    }
  });

  test("probes ask ports that are open, and paths that are answered there", async () => {
    const health = openHealth(60_000, new AbortController().signal);
    const own = await serveHealth("test", { reports: health, metrics: openMetrics() }, LOCAL);
    for (const pod of podsOf(manifests)) {
      if (pod.of === "set-up") continue;
      const { ports, startupProbe, livenessProbe, readinessProbe } = pod.container;
      const env = environmentOf(manifests, pod, () => "");
      const open = new Map(ports.map(({ name, containerPort }) => [name, `${containerPort}`]));
      expect(open.get("health")).toBe(env["HEALTH_PORT"]);
      expect(env["HEALTH_HOST"]).toBe("0.0.0.0");
      for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
        const { path, port } = probe?.httpGet ?? { path: "", port: "" };
        if (port === "health") {
          const { status } = await fetch(own + path);
          expect([pod.of, path, [200, 503].includes(status)]).toEqual([pod.of, path, true]);
        } else {
          expect([pod.of, port, open.get("http")]).toEqual(["api", "http", env["API_PORT"]]);
          expect(fileOf("services/api/server.ts")).toContain(`app.get("${path}"`);
        }
      }
    }
  });

  test("a pod has time to end by itself", () => {
    for (const { of, terminationGracePeriodSeconds = 0, container } of podsOf(manifests)) {
      if (of === "set-up") continue;
      const waits = container.lifecycle?.preStop.sleep.seconds ?? 0;
      expect(waits > 0).toBe(container.ports.some(({ name }) => name === "http"));
      expect(terminationGracePeriodSeconds).toBeGreaterThan(waits + STOP_WITHIN_MS / 1000);
    }
  });

  test("names that look like numbers, and a host of any name, are texts", async () => {
    const names = ["secrets.services=1e5", "certificates=123", "ingress.tlsSecret=0x1"];
    const host = ["ingress.host=*.example.com", "ingress.className=123"];
    const proxies = ["settings.API_TRUSTED_PROXIES=10.0.0.1"];
    const values = [...names, ...host, ...proxies].flatMap((one) => ["--set-string", one]);
    const named = (name: string) =>
      helm(tools, "template", name, CHART, ...values, "--set", "ingress.enabled=true");
    const text = await named("1e5");
    expect(await validate(tools, text, "1.37")).toMatchObject({ isValid: true });
    await expect(named("r".repeat(50))).rejects.toThrow(
      "with drawdown in it, it may have 56 characters, else 47",
    );
  });

  test("Services and the Ingress lead to what listens", () => {
    const service = z.object({
      spec: z.object({ ports: z.array(z.object({ port: z.number(), targetPort: z.string() })) }),
    });
    const ports = ofKind(full, "Service").map((one) => [
      one.metadata.name,
      ...service.parse(one).spec.ports.map(({ port, targetPort }) => `${port} ${targetPort}`),
    ]);
    expect(ports).toEqual([
      ["drawdown-api", "8088 http"],
      ["drawdown-top-up", "8095 http"],
    ]);
    const ingress = z.object({
      spec: z.object({
        rules: z.array(
          z.object({
            http: z.object({
              paths: z.array(
                z.object({
                  path: z.string(),
                  backend: z.object({ service: z.object({ name: z.string() }) }),
                }),
              ),
            }),
          }),
        ),
      }),
    });
    const paths = ofKind(full, "Ingress").flatMap((one) =>
      ingress.parse(one).spec.rules.flatMap(({ http }) => http.paths),
    );
    expect(paths.map(({ path, backend }) => [path, backend.service.name])).toEqual([
      [WEBHOOK_PATH, "drawdown-top-up"],
      ["/", "drawdown-api"],
    ]);
  });

  test("set-up runs before a version's pods, and needs nothing that the chart makes after it", () => {
    const [job] = ofKind(full, "Job");
    expect(job?.metadata["annotations"]).toMatchObject({
      "helm.sh/hook": "pre-install,pre-upgrade",
    });
    const made = full.filter((one) => one !== job).map(({ metadata }) => metadata.name);
    const [pod] = podsOf(full).filter(({ of }) => of === "set-up");
    expect(pod?.container.envFrom).toEqual([]);
    const text = JSON.stringify(job);
    expect(made.filter((name) => name !== "drawdown" && text.includes(`"name":"${name}"`))).toEqual(
      [],
    );
  });

  test("metering is scaled by a metric that it serves, which the adapter reads", () => {
    const metric = z.object({ metric: z.object({ name: z.string() }) });
    const autoscaler = z.object({
      spec: z.object({
        scaleTargetRef: z.object({ name: z.string() }),
        metrics: z.array(z.object({ external: metric })),
      }),
    });
    const [found] = ofKind(full, "HorizontalPodAutoscaler");
    const { spec } = autoscaler.parse(found);
    const names = spec.metrics.map(({ external }) => external.metric.name);
    expect(spec.scaleTargetRef.name).toBe("drawdown-metering");
    const rule = z.object({ seriesQuery: z.string(), name: z.object({ as: z.string() }) });
    const { rules } = z
      .object({ rules: z.object({ external: z.array(rule) }) })
      .parse(parse(readFileSync(ADAPTER, "utf8")));
    expect(rules.external.map(({ name }) => name.as)).toEqual(names);
    const read = rules.external.flatMap(({ seriesQuery }) => metricsIn(seriesQuery));
    expect(read.length).toBeGreaterThan(0);
    expect(read.filter((name) => !documentedMetrics().has(name))).toEqual([]);
    // Its own number of pods would be set back at each upgrade.
    const replicas = (rendered: typeof full) =>
      ofKind(rendered, "Deployment")
        .filter(({ spec }) => Object.hasOwn(Object(spec), "replicas"))
        .map(({ metadata }) => metadata.name);
    expect(replicas(full)).not.toContain("drawdown-metering");
    expect(replicas(manifests)).toContain("drawdown-metering");
  });

  test("the operator's Prometheus has the rules of infra/observability, and the labels that they read", () => {
    const [rules] = ofKind(full, "PrometheusRule");
    expect(rules?.["spec"]).toEqual(parse(readFileSync(RULES_FILE, "utf8")));
    const [monitor] = ofKind(full, "PodMonitor");
    const endpoint = z.strictObject({
      ...{ port: z.literal("health"), path: z.literal("/metrics"), interval: z.string() },
      relabelings: z.array(
        z.strictObject({
          sourceLabels: z.array(z.string()).optional(),
          targetLabel: z.string(),
          replacement: z.string().optional(),
        }),
      ),
    });
    const { podMetricsEndpoints } = z
      .object({ podMetricsEndpoints: z.tuple([endpoint]) })
      .parse(monitor?.["spec"]);
    expect(podMetricsEndpoints[0].relabelings).toEqual([
      { targetLabel: "job", replacement: "drawdown" },
      {
        sourceLabels: ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
        targetLabel: "service",
      },
    ]);
    const missed = readFileSync(RULES_FILE, "utf8").matchAll(
      /absent\(up\{job="drawdown", service="([\w-]+)"\}\)/g,
    );
    expect([...missed].map(([, name]) => name).sort()).toEqual(SERVICES);
  });

  test("what is not permitted is refused, and metrics are for the monitoring alone", () => {
    expect(ofKind(full, "NetworkPolicy").map(({ spec }) => inShort(spec))).toEqual([
      "every pod: Ingress Egress nothing",
      "every pod: Egress 53/UDP 53/TCP to kube-system; 5432/TCP to 10.1.0.10/32; 9093/TCP to data; 8443/TCP to data",
      "top-up webhooks: Egress 443/TCP to 0.0.0.0/0 but 6, ::/0 but 2",
      "api metering scheduler top-up webhooks: Egress 4318/TCP to monitoring",
      "every pod: Ingress health/TCP from monitoring",
      "api: Ingress http/TCP from any namespace",
      "top-up: Ingress http/TCP from ingress-nginx",
    ]);
  });

  const ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";
  test.each([
    { where: "nowhere", set: [], permitted: [] },
    {
      where: "to the port of its collector's address, each service",
      set: [
        `services.metering.settings.${ENDPOINT}=http://a:b@collector.traces:4318/v1`,
        `services.api.settings.${ENDPOINT}=https://[fd00::1]`,
        `services.webhooks.settings.${ENDPOINT}=http://[fd00::1]:4318`,
        `services.scheduler.settings.${ENDPOINT}=http://collector`,
      ],
      permitted: ["api metering scheduler webhooks: Egress 443/TCP 4318/TCP 80/TCP to "],
    },
    {
      where: "to the ports that are named",
      set: [`settings.${ENDPOINT}=http://collector`, "networkPolicy.traces.ports[0]=14318"],
      permitted: ["api metering scheduler top-up webhooks: Egress 14318/TCP to "],
    },
  ])("traces are let out $where", async ({ set, permitted }) => {
    const policies = ofKind(
      manifestsIn(await render(tools, ...set.flatMap((value) => ["--set", value]))),
      "NetworkPolicy",
    );
    const ofTraces = policies.filter(({ metadata }) => metadata.name.endsWith("-traces"));
    expect(ofTraces.map(({ spec }) => inShort(spec))).toEqual(permitted);
  });
});

const LOCAL = { host: "127.0.0.1", port: 0 };

/** Whether a setting names a file that the pod has. */
function isMounted(pod: Pod, value: string): boolean {
  return pod.container.volumeMounts.some(
    ({ name, mountPath }) => name === "certificates" && value.startsWith(`${mountPath}/`),
  );
}

const peer = z.strictObject({
  namespaceSelector: z
    .strictObject({ matchLabels: z.record(z.string(), z.string()).optional() })
    .optional(),
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
});
const traffic = z.array(
  z.strictObject({
    ports: z.array(z.object({ port: z.union([z.string(), z.number()]), protocol: z.string() })),
    from: z.array(peer).optional(),
    to: z.array(peer).optional(),
  }),
);
const policy = z.strictObject({
  podSelector: z.strictObject({
    matchLabels: z.record(z.string(), z.string()),
    matchExpressions: z.array(z.object({ values: z.array(z.string()) })).optional(),
  }),
  policyTypes: z.array(z.string()),
  ingress: traffic.optional(),
  egress: traffic.optional(),
});

/** A network policy in a line: of which pods, and what it permits. */
function inShort(spec: unknown): string {
  const { podSelector, policyTypes, ingress, egress } = policy.parse(spec);
  const component = podSelector.matchLabels["app.kubernetes.io/component"];
  const some = podSelector.matchExpressions?.flatMap(({ values }) => values).join(" ");
  const permitted = [...(ingress ?? []), ...(egress ?? [])].map(({ ports, from, to }) => {
    const which = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(" ");
    const peers = (from ?? to ?? []).map(peerInShort).join(", ");
    return `${which} ${from === undefined ? "to" : "from"} ${peers}`;
  });
  const what = permitted.length === 0 ? "nothing" : permitted.join("; ");
  return `${component ?? some ?? "every pod"}: ${policyTypes.join(" ")} ${what}`;
}

function peerInShort({ namespaceSelector, ipBlock }: z.infer<typeof peer>): string {
  if (ipBlock !== undefined) {
    return `${ipBlock.cidr}${ipBlock.except === undefined ? "" : ` but ${ipBlock.except.length}`}`;
  }
  return namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ?? "any namespace";
}
