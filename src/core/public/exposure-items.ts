/** Who can reach what a stack publishes, the fewest first. */
export const exposureLevels = ["loopback", "network", "public"] as const;

/** One of the levels. */
export type ExposureLevel = (typeof exposureLevels)[number];

/** The name by which an operator accepts in the configuration that others reach the stack. */
export const exposureName = "exposure";

/** What may be wrong with a stack that others reach, by the name under which an operator accepts it with a reason. */
export const exposureItems = [
  "weak-secrets",
  "default-accounts",
  "no-tls",
  "open-data-store",
  "no-limits",
  "raw-socket",
  "credential-directories",
  "unpinned-images",
] as const;

/** One of the names. */
export type ExposureItem = (typeof exposureItems)[number];

/** What was true of an exposed stack when it was last verified. */
export interface LastExposure {
  readonly level: ExposureLevel;
  /** What did not hold then, and was accepted; undefined where an earlier version of this tool deployed and did not look. */
  readonly failed: readonly ExposureItem[] | undefined;
}
