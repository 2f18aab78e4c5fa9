import type { IncomingMessage } from "node:http";
import { type DockerClient, dockerMessage } from "../docker-client.ts";
import { createLogDemultiplexer } from "../docker-log-stream.ts";
import { createOutputBuffer } from "../output-buffer.ts";
import { ProviderError } from "../provider.ts";

/** What a sandbox printed, cut at the limit. */
export interface ContainerOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

/** A log that is being read in the background. */
export interface FollowedLogs {
  /** Call after the container has ended: reads the rest and gives everything. */
  readonly finish: () => Promise<ContainerOutput>;
  /** Gives up reading. Never throws. */
  readonly stop: () => Promise<void>;
}

// A log stream normally ends with its container. One that does not is cut, and the answer says so.
const afterExitMs = 5_000;

/** Follows both output streams of a container from its start. */
export function followContainerLogs(
  docker: DockerClient,
  id: string,
  limitBytes: number,
  signal: AbortSignal,
): FollowedLogs {
  const stdout = createOutputBuffer(limitBytes);
  const stderr = createOutputBuffer(limitBytes);
  // The engine's reader fails when a flood of output rotates the log away below it: then something is missing.
  let readerFailed = false;
  const demultiplexer = createLogDemultiplexer((stream, bytes) => {
    if (stream === "system") readerFailed = true;
    else (stream === "stdout" ? stdout : stderr).push(bytes);
  });
  const giveUp = new AbortController();

  const read = async (): Promise<void> => {
    const query = { follow: "1", stdout: "1", stderr: "1" };
    const path = `/containers/${id}/logs`;
    const answer = await docker.open({
      method: "GET",
      path,
      query,
      signal: AbortSignal.any([signal, giveUp.signal]),
    });
    if (answer.statusCode !== 200) throw await refused(answer);
    for await (const chunk of answer) {
      demultiplexer.push(Buffer.from(chunk));
      // Nothing of what follows would be kept.
      if (stdout.truncated() && stderr.truncated()) return;
    }
  };
  // Settled into a value, so that a failure before finish() is not an unhandled rejection.
  const done = read().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );

  return {
    async finish() {
      const timer = setTimeout(() => giveUp.abort(), afterExitMs);
      const failed = await done;
      clearTimeout(timer);
      if (failed && !giveUp.signal.aborted) throw failed.error;
      const incomplete = readerFailed || failed !== undefined || !demultiplexer.atBoundary();
      const truncated = incomplete || stdout.truncated() || stderr.truncated();
      return { stdout: stdout.text(), stderr: stderr.text(), truncated };
    },
    async stop() {
      giveUp.abort();
      await done;
    },
  };
}

async function refused(answer: IncomingMessage): Promise<ProviderError> {
  answer.resume();
  const reason = dockerMessage({ status: answer.statusCode ?? 0, body: undefined });
  return new ProviderError(502, `the output of the sandbox could not be read: ${reason}`);
}
