import { execFileSync } from "node:child_process";
import { z } from "zod";
import { PROJECT, shippedPackages } from "./lock-file.ts";

// `npm sbom --omit dev` is not enough: it leaves out packages that something for development needs, too (pg, zod).
const bom = z.looseObject({
  metadata: z.looseObject({
    component: z.looseObject({ "bom-ref": z.string(), name: z.string() }),
  }),
  components: z.array(
    z.looseObject({
      "bom-ref": z.string(),
      name: z.string(),
      version: z.string(),
      properties: z.array(z.object({ name: z.string(), value: z.string() })),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

/** The software bill of materials of what is shipped, in CycloneDX, made by npm from the lock file. */
export function billOfMaterials(): z.infer<typeof bom> {
  const ask = ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"];
  const all = bom.parse(
    JSON.parse(
      execFileSync("npm", ask, { cwd: PROJECT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }),
    ),
  );
  const shipped = new Set(shippedPackages().map(({ name, version }) => `${name}@${version}`));
  const components = all.components
    .filter(({ name, version }) => shipped.has(`${name}@${version}`))
    .map((one) => ({ ...one, properties: one.properties.filter(({ name }) => !isAboutUse(name)) }));
  const project = all.metadata.component["bom-ref"];
  const refs = new Set([project, ...components.map((one) => one["bom-ref"])]);
  return {
    ...all,
    // npm takes the name of the folder.
    metadata: { ...all.metadata, component: { ...all.metadata.component, name: "drawdown" } },
    components,
    dependencies: all.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) })),
  };
}

/** That something is for development, also of a package of which another place is shipped. */
function isAboutUse(property: string): boolean {
  return property.endsWith(":development");
}

if (import.meta.main) console.log(JSON.stringify(billOfMaterials(), null, 2));
