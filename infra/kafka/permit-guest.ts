import { setTimeout as wait } from "node:timers/promises";
import kafkajs, { type AclEntry, type Admin } from "kafkajs";
import { METERING, TOP_UP, TOPICS, WEBHOOKS } from "../../shared/core/text/topics.ts";

const {
  AclOperationTypes: { DELETE, READ, WRITE },
  AclPermissionTypes: { ALLOW, DENY },
  AclResourceTypes: { GROUP, TOPIC },
  ResourcePatternTypes: { LITERAL, PREFIXED },
} = kafkajs;

const WITHIN_MS = 10_000;

/** Groups of the services: whoever joined them would take their partitions. */
const SERVICE_GROUPS = [
  { resourceName: METERING, resourcePatternType: LITERAL },
  { resourceName: TOP_UP, resourcePatternType: LITERAL },
  { resourceName: "api-", resourcePatternType: PREFIXED },
  { resourceName: WEBHOOKS, resourcePatternType: PREFIXED },
];

/**
 * Permits `principal` what product services, consumers and the command line need: to publish usage, to
 * read every topic, and to use groups of its own. docs/trust.md says why no more. Running it again
 * changes nothing. Throws where the broker has no authorizer.
 */
export async function permitGuest(admin: Admin, principal: string): Promise<void> {
  const acl = [...topics(), ...groups()].map((entry) => ({ ...entry, principal, host: "*" }));
  await admin.createAcls({ acl });
  const giveUp = AbortSignal.timeout(WITHIN_MS);
  while (!(await isPermitted(admin, principal))) await wait(50, undefined, { signal: giveUp });
}

/** Whether the broker applies the permissions yet: it learns of them from its controller. */
async function isPermitted(admin: Admin, principal: string): Promise<boolean> {
  const { resources } = await admin.describeAcls({
    ...{ resourceType: TOPIC, resourceName: TOPICS.usageEvents, resourcePatternType: LITERAL },
    ...{ principal, operation: WRITE, permissionType: ALLOW },
  });
  return resources.length > 0;
}

type Permission = Omit<AclEntry, "principal" | "host">;

function topics(): Permission[] {
  const topic = { resourceType: TOPIC, permissionType: ALLOW, operation: READ };
  const usage = { ...topic, resourceName: TOPICS.usageEvents, resourcePatternType: LITERAL };
  return [
    usage,
    { ...usage, operation: WRITE },
    { ...topic, resourceName: TOPICS.deadLetters, resourcePatternType: LITERAL },
    { ...topic, resourceName: "billing.", resourcePatternType: PREFIXED },
  ];
}

function groups(): Permission[] {
  const any = { resourceName: "*", resourcePatternType: LITERAL };
  return [READ, DELETE].flatMap((operation) => [
    { ...any, operation, resourceType: GROUP, permissionType: ALLOW },
    ...SERVICE_GROUPS.map((group) => ({
      ...{ ...group, operation },
      ...{ resourceType: GROUP, permissionType: DENY },
    })),
  ]);
}
