import kafkajs, { type Admin, type ITopicConfig } from "kafkajs";
import { isKafkaOutage } from "../../shared/kafka/client/kafka-client.ts";

const COMPARED = [
  "cleanup.policy",
  "retention.ms",
  "retention.bytes",
  "max.message.bytes",
] as const;
type Compared = (typeof COMPARED)[number];

/** Of topics that state none of their own: nothing is deleted before its time, or because of its size. */
const USUAL: Partial<Record<Compared, string>> = {
  "cleanup.policy": "delete",
  "retention.bytes": "-1",
};

/**
 * Compares topics that are there with how set-up makes them: a broker may have created them by itself, at the first
 * message of a producer, with settings by which records are deleted before they are read. Returns a sentence
 * for each that keeps less, or takes less, or one that nobody may compare them. Throws in an outage.
 */
export async function unfitTopics(
  admin: Pick<Admin, "describeConfigs">,
  wanted: readonly ITopicConfig[],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  try {
    return await compare(admin, wanted);
  } catch (error) {
    if (isKafkaOutage(error)) throw error;
    return [`topics that are there cannot be compared with how set-up makes them: ${error}`];
  }
}

const ADVICE =
  'Set-up changes no topic that is there: change it, or records may be lost (docs/operating.md, "What grows")';

async function compare(
  admin: Pick<Admin, "describeConfigs">,
  wanted: readonly ITopicConfig[],
): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: wanted.map(({ topic }) => {
      return { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [...COMPARED] };
    }),
  });
  const settings = new Map(
    resources.map(({ resourceName, configEntries }) => {
      return [resourceName, valuesOf(configEntries, "configName", "configValue")] as const;
    }),
  );
  return wanted.flatMap(({ topic, configEntries = [] }) => {
    const ours = { ...USUAL, ...valuesOf(configEntries, "name", "value") };
    const theirs = settings.get(topic) ?? {};
    const worse = COMPARED.filter((name) => isWorse(name, theirs[name], ours[name]));
    const texts = worse.map((name) => `${name} is ${theirs[name]}, not ${ours[name]}`);
    const differs = `${topic} is not as set-up makes it: ${texts.join("; ")}. ${ADVICE}`;
    return texts.length === 0 ? [] : [differs];
  });
}

function isWorse(name: Compared, theirs: string | undefined, ours: string | undefined): boolean {
  if (theirs === undefined || ours === undefined || theirs === ours) return false;
  if (name === "cleanup.policy") return true;
  const least = (value: string) => (value === "-1" ? Number.POSITIVE_INFINITY : Number(value));
  return least(theirs) < least(ours);
}

function valuesOf<Name extends string, Value extends string>(
  entries: readonly Readonly<Record<Name | Value, string>>[],
  name: Name,
  value: Value,
): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map((entry) => [entry[name], entry[value]]));
}
