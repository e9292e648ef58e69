import kafkajs from "kafkajs";
import { plainKafka } from "../check/read-topic.ts";

const { TOPIC } = kafkajs.ConfigResourceTypes;
const FOR_EVER = { name: "retention.ms", value: "-1" };

/** Keeps what is on the topics: by the clock of Kafka, records of a moved clock are old. */
export async function keepRecords(brokers: string): Promise<void> {
  const admin = plainKafka(brokers).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((name) => /^(usage|billing)\./.test(name));
    const { resources } = await admin.describeConfigs({
      resources: topics.map((name) => ({ type: TOPIC, name })),
      includeSynonyms: false,
    });
    await admin.alterConfigs({
      validateOnly: false,
      resources: resources.map(({ resourceName: name, configEntries }) => {
        // What is not named would be as by default again.
        const kept = configEntries
          .filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG)
          .map(({ configName, configValue }) => ({ name: configName, value: configValue }))
          .filter((entry) => entry.name !== FOR_EVER.name);
        return { type: TOPIC, name, configEntries: [...kept, FOR_EVER] };
      }),
    });
  } finally {
    await admin.disconnect();
  }
}
