import type { Found } from "../../../src/core/setup/question.ts";

/** A folder with nothing of the operator's own in it. */
export const emptyFolder: Found = {
  ownStack: false,
  mode: "local",
  env: new Map(
    Object.entries({
      PORT: "2026",
      BIND_HOST: "127.0.0.1",
      GATEWAY_MEMORY: "1g",
      GATEWAY_CPUS: "1",
      SANDBOX_MEMORY: "512m",
      SANDBOX_CPUS: "1",
      SANDBOX_PIDS: "128",
      RUN_CONCURRENCY_MAX: "4",
    }),
  ),
  kubeconfig: "~/.kube/config",
  guard: { memory: "512m", cpus: "1", pids: "128", alive: "10" },
  reach: { tls: "off", domain: undefined, email: undefined, certificate: undefined, certificateKey: undefined },
  credentials: { claude: "none", codex: "none" },
  present: new Set(),
  addresses: ["203.0.113.5", "192.168.1.10"],
};
