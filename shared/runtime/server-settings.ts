export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly tls: { readonly ca?: string } | null;
  readonly sasl: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  } | null;
  readonly replication: number;
  readonly usagePartitions: number;
}

export interface RegistrySettings {
  readonly url: string;
  readonly auth: { readonly username: string; readonly password: string } | null;
}
