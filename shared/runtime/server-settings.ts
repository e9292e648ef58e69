export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly tls: { readonly ca?: string } | null;
  readonly sasl: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  } | null;
}

/** What set-up makes on Kafka. */
export interface TopicSettings {
  /** -1: the broker's default. */
  readonly replication: number;
  readonly usagePartitions: number;
  /** The principal that may publish usage and read; null: set-up changes no ACLs. */
  readonly guest: string | null;
}

export interface RegistrySettings {
  readonly url: string;
  readonly auth: { readonly username: string; readonly password: string } | null;
}
