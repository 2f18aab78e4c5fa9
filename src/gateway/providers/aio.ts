import * as z from "zod";
import { type ContainerSettings, containerName, containerSpec } from "../container-spec.ts";
import { type DockerAddress, dockerAddressText } from "../docker-address.ts";
import { createDockerClient, type DockerAnswer, type DockerClient, dockerMessage } from "../docker-client.ts";
import { messageOf, type Provider, ProviderError, type Readiness, stoppingError } from "../provider.ts";
import type { RunOutcome, RunRequest } from "../run.ts";
import { followContainerLogs } from "./aio-logs.ts";
import { removeContainer, sweepContainers } from "./aio-sweep.ts";

/** What the aio provider needs to know. */
export interface AioOptions {
  readonly address: DockerAddress;
  readonly container: ContainerSettings;
  /** Per stream. */
  readonly outputBytesMax: number;
  /** Told about a sandbox that could not be removed now; the next sweep tries again. */
  readonly onLeftover: (container: string, reason: string) => void;
}

// Time that the engine may need on top of the program's own time before the run is given up.
const startupSeconds = 30;
const requestMs = 30_000;
const readinessMs = 3_000;

const createdSchema = z.object({ Id: z.string().min(12) });
const waitedSchema = z.object({ StatusCode: z.number().int() });
const inspectedSchema = z.object({
  State: z.object({ OOMKilled: z.boolean(), StartedAt: z.string(), FinishedAt: z.string() }),
});

/** Runs each snippet in a container of its own on a Docker engine (mode `aio`, Docker-out-of-Docker). */
export function createAioProvider(options: AioOptions): Provider {
  const docker = createDockerClient(options.address);
  const { container } = options;
  const owned = new Set<string>();
  return {
    mode: "aio",
    isolation:
      "Each run gets a new container that is removed afterwards: no capabilities, no new privileges, an unprivileged " +
      "user, a read-only file system with a small /tmp. It shares the kernel of the machine.",
    network: container.network === "none" ? "none" : `Docker network ${container.network}`,
    limits: {
      memoryBytes: container.memoryBytes,
      cpus: container.cpus,
      processes: container.pids,
      image: container.image,
    },
    readiness: () => readiness(docker, options),
    async run(request, signal) {
      const name = containerName(container.project, request.id);
      const deadline = Math.ceil(Date.now() / 1000) + request.timeoutSeconds + startupSeconds;
      // Owned before it exists: a sweep must never see it as a stranger.
      owned.add(name);
      try {
        return await runInContainer(docker, options, request, name, deadline, signal);
      } finally {
        // By name and in every case: a create request that failed here may still succeed at the engine.
        const failure = await removeContainer(docker, name);
        if (failure) options.onLeftover(name, failure);
        owned.delete(name);
      }
    },
    sweep: () => sweepContainers(docker, container.project, (name) => owned.has(name)),
  };
}

async function runInContainer(
  docker: DockerClient,
  options: AioOptions,
  run: RunRequest,
  name: string,
  deadline: number,
  stopping: AbortSignal,
): Promise<RunOutcome> {
  const { image } = options.container;
  const id = await createContainer(docker, options, run, name, deadline);
  const overdue = AbortSignal.timeout(deadline * 1000 - Date.now());
  const signal = AbortSignal.any([stopping, overdue]);
  try {
    signal.throwIfAborted();
    const started = await docker.send({ method: "POST", path: `/containers/${id}/start`, signal });
    if (started.status !== 204) throw new ProviderError(502, `the sandbox did not start: ${dockerMessage(started)}`);
    const logs = followContainerLogs(docker, id, options.outputBytesMax, signal);
    const exitCode = await waitForExit(docker, id, signal).catch(async (error: unknown) => {
      await logs.stop();
      throw error;
    });
    const output = await logs.finish();
    const ending = await inspectEnding(docker, id);
    return {
      ...output,
      exitCode,
      outOfMemory: ending.outOfMemory,
      timedOut: exitCode === 137 && !ending.outOfMemory && ending.ranSeconds >= run.timeoutSeconds,
      ranIn: {
        mode: "aio",
        description: `container ${name} (image ${image}) on ${dockerAddressText(options.address)}`,
        container: name,
        containerId: id.slice(0, 12),
        image,
      },
    };
  } catch (error) {
    if (stopping.aborted) throw stoppingError();
    if (overdue.aborted) throw new ProviderError(502, "the sandbox did not end in time and was removed", error);
    if (error instanceof ProviderError) throw error;
    throw unreachable(options, error);
  }
}

async function createContainer(
  docker: DockerClient,
  options: AioOptions,
  run: RunRequest,
  name: string,
  deadline: number,
): Promise<string> {
  const answer = await docker
    .send({
      method: "POST",
      path: "/containers/create",
      query: { name },
      body: containerSpec(options.container, run, deadline),
      signal: AbortSignal.timeout(requestMs),
    })
    .catch((error: unknown) => {
      throw unreachable(options, error);
    });
  if (isMissingImage(answer)) throw new ProviderError(503, missingImage(options.container.image));
  if (answer.status !== 201) throw new ProviderError(502, `the sandbox was not created: ${dockerMessage(answer)}`);
  return createdSchema.parse(answer.body).Id;
}

async function waitForExit(docker: DockerClient, id: string, signal: AbortSignal): Promise<number> {
  const answer = await docker.send({ method: "POST", path: `/containers/${id}/wait`, signal });
  if (answer.status !== 200) throw new ProviderError(502, `the sandbox was lost: ${dockerMessage(answer)}`);
  return waitedSchema.parse(answer.body).StatusCode;
}

// 137 alone may be a time-out, the kernel out of memory, or the program's own doing: the engine knows which.
async function inspectEnding(
  docker: DockerClient,
  id: string,
): Promise<{ readonly outOfMemory: boolean; readonly ranSeconds: number }> {
  const signal = AbortSignal.timeout(requestMs);
  const answer = await docker.send({ method: "GET", path: `/containers/${id}/json`, signal }).catch(() => undefined);
  const inspected = inspectedSchema.safeParse(answer?.body);
  if (!inspected.success) return { outOfMemory: false, ranSeconds: Number.POSITIVE_INFINITY };
  const { OOMKilled, StartedAt, FinishedAt } = inspected.data.State;
  const ranMs = Date.parse(FinishedAt) - Date.parse(StartedAt);
  return { outOfMemory: OOMKilled, ranSeconds: Math.round(ranMs / 100) / 10 };
}

async function readiness(docker: DockerClient, options: AioOptions): Promise<Readiness> {
  const { image } = options.container;
  try {
    const signal = AbortSignal.timeout(readinessMs);
    const answer = await docker.send({ method: "GET", path: `/images/${image}/json`, signal });
    if (isMissingImage(answer)) return { canRun: false, reason: missingImage(image) };
    return { canRun: true };
  } catch (error) {
    return { canRun: false, reason: unreachable(options, error).message };
  }
}

function isMissingImage(answer: DockerAnswer): boolean {
  return answer.status === 404 && /no such image/i.test(dockerMessage(answer));
}

function missingImage(image: string): string {
  return (
    `the sandbox image ${image} is not on this Docker engine, and the gateway never pulls. ` +
    "Build it on the host: scripts/build-images.sh sandbox, or docker compose --profile build build sandbox-image"
  );
}

function unreachable(options: AioOptions, error: unknown): ProviderError {
  const where = dockerAddressText(options.address);
  return new ProviderError(503, `talking to the Docker engine at ${where} failed: ${messageOf(error)}`, error);
}
