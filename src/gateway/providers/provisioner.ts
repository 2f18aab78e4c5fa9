import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, type Provider, ProviderError, stoppingError } from "../provider.ts";
import { createProvisionerClient, type ProvisionedSandbox, type ProvisionerClient } from "../provisioner-client.ts";
import type { RunOutcome, RunRequest } from "../run.ts";
import { execInSandbox, sandboxAnswers } from "../sandbox-exec.ts";

/** A memory of sandbox ids that survives the process. */
export interface SandboxRegister {
  readonly add: (sandboxId: string) => Promise<void>;
  readonly remove: (sandboxId: string) => Promise<void>;
  readonly list: () => Promise<readonly string[]>;
}

/** What the provisioner provider needs to know. */
export interface ProvisionerOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly register: SandboxRegister;
  /** Per stream. */
  readonly outputBytesMax: number;
  /** How long a new sandbox may take until it answers. */
  readonly readySeconds: number;
  readonly onLeftover: (sandboxId: string, reason: string) => void;
}

const pollMs = 500;

/** Runs each snippet in a sandbox of its own that a provisioner service makes (mode `provisioner`). */
export function createProvisionerProvider(options: ProvisionerOptions): Provider {
  const client = createProvisionerClient(options.url, options.apiKey);
  const owned = new Set<string>();
  return {
    mode: "provisioner",
    isolation:
      "Each run gets a new pod that the provisioner makes in its cluster and that is removed afterwards. The gateway " +
      "holds the provisioner's URL and key, and nothing of the cluster.",
    network: "the sandbox pod's, as the cluster's policies allow",
    limits: { provisioner: options.url, pod: "memory and CPU as the provisioner sets them" },
    async readiness() {
      try {
        await client.checkHealth();
        return { canRun: true };
      } catch (error) {
        return { canRun: false, reason: messageOf(error) };
      }
    },
    async run(request, signal) {
      const sandboxId = randomBytes(8).toString("hex");
      owned.add(sandboxId);
      try {
        // Remembered first: a crash from here on leaves an id that the next start removes.
        await options.register.add(sandboxId);
        try {
          return await runInSandbox(client, options, request, sandboxId, signal);
        } finally {
          await removeSandbox(client, options.register, sandboxId).catch((error: unknown) =>
            options.onLeftover(sandboxId, messageOf(error)),
          );
        }
      } finally {
        owned.delete(sandboxId);
      }
    },
    async sweep() {
      const removed: string[] = [];
      const failed: string[] = [];
      for (const sandboxId of await options.register.list()) {
        if (owned.has(sandboxId)) continue;
        await removeSandbox(client, options.register, sandboxId).then(
          () => removed.push(sandboxId),
          (error: unknown) => failed.push(`${sandboxId}: ${messageOf(error)}`),
        );
      }
      return { removed, failed };
    },
  };
}

async function removeSandbox(client: ProvisionerClient, register: SandboxRegister, sandboxId: string): Promise<void> {
  await client.remove(sandboxId);
  await register.remove(sandboxId);
}

async function runInSandbox(
  client: ProvisionerClient,
  options: ProvisionerOptions,
  run: RunRequest,
  sandboxId: string,
  stopping: AbortSignal,
): Promise<RunOutcome> {
  try {
    if (stopping.aborted) throw stoppingError();
    const created = await client.create(sandboxId);
    const sandboxUrl = await waitUntilReady(client, sandboxId, created, options.readySeconds, stopping);
    const outcome = await execInSandbox(sandboxUrl, run, options.outputBytesMax, stopping);
    return {
      ...outcome,
      outOfMemory: false,
      ranIn: {
        mode: "provisioner",
        description: `sandbox ${sandboxId} at ${sandboxUrl}, made by the provisioner`,
        sandboxId,
        sandboxUrl,
      },
    };
  } catch (error) {
    throw stopping.aborted ? stoppingError() : error;
  }
}

async function waitUntilReady(
  client: ProvisionerClient,
  sandboxId: string,
  created: ProvisionedSandbox,
  readySeconds: number,
  stopping: AbortSignal,
): Promise<string> {
  const overdue = AbortSignal.timeout(readySeconds * 1000);
  const signal = AbortSignal.any([stopping, overdue]);
  let latest = created;
  try {
    for (;;) {
      signal.throwIfAborted();
      const status = latest.status.toLowerCase();
      if (["failed", "error", "succeeded", "terminated"].includes(status)) {
        throw new ProviderError(502, `the sandbox ended before it was ready (status ${latest.status})`);
      }
      if (["running", "ready"].includes(status) && (await sandboxAnswers(latest.sandboxUrl, signal))) {
        return latest.sandboxUrl;
      }
      await pause(pollMs, undefined, { signal });
      latest = (await client.find(sandboxId, signal)) ?? latest;
    }
  } catch (error) {
    if (!overdue.aborted || stopping.aborted) throw error;
    const seen = `its status is "${latest.status}" and its address ${latest.sandboxUrl}`;
    throw new ProviderError(502, `the sandbox was not ready after ${readySeconds} s: ${seen}`, error);
  }
}
