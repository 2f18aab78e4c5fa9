import * as z from "zod";
import { requestJson } from "./http-json.ts";
import { cutText } from "./output-buffer.ts";
import { messageOf, ProviderError } from "./provider.ts";
import { commandFor, type RunRequest } from "./run.ts";

/** What a sandbox's own API reports of a command. */
export interface ExecOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly truncated: boolean;
}

const resultSchema = z.object({
  success: z.boolean().default(true),
  message: z.string().nullish(),
  data: z
    .object({
      status: z.string().nullish(),
      stdout: z.string().nullish(),
      stderr: z.string().nullish(),
      exit_code: z.number().int().nullish(),
    })
    .nullish(),
});

// Linux's limit for one argument, which is how a sandbox hands the command to its shell.
const commandBytesMax = 128 * 1024 - 1;
// Time for the request itself on top of the program's own.
const marginSeconds = 10;

/** Whether the sandbox's API answers; this is what DeerFlow's own gateway waits for. */
export async function sandboxAnswers(sandboxUrl: string, signal: AbortSignal): Promise<boolean> {
  try {
    const attempt = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
    return (await requestJson({ method: "GET", url: `${sandboxUrl}/v1/sandbox`, signal: attempt })).status === 200;
  } catch {
    return false;
  }
}

/** Runs a snippet through `POST /v1/bash/exec` of a sandbox, which images have from 1.9 on. */
export async function execInSandbox(
  sandboxUrl: string,
  run: RunRequest,
  outputBytesMax: number,
  stopping: AbortSignal,
): Promise<ExecOutcome> {
  const overdue = AbortSignal.timeout((run.timeoutSeconds + marginSeconds) * 1000);
  const answer = await requestJson({
    method: "POST",
    url: `${sandboxUrl}/v1/bash/exec`,
    body: {
      command: shellCommand(run),
      hard_timeout: run.timeoutSeconds,
      // Longer than hard_timeout: the answer is to hold the end of the command, not the status "running".
      timeout: run.timeoutSeconds + marginSeconds / 2,
      // One more than is kept, so that a cut made there is seen here.
      max_output_length: outputBytesMax + 1,
    },
    signal: AbortSignal.any([stopping, overdue]),
    // A byte takes at most six characters in JSON.
    answerBytesMax: 2 * 6 * (outputBytesMax + 1024) + 256 * 1024,
  }).catch((error: unknown) => {
    if (overdue.aborted && !stopping.aborted) return undefined;
    throw new ProviderError(502, `the sandbox at ${sandboxUrl} does not answer: ${messageOf(error)}`, error);
  });
  if (answer === undefined) return { stdout: "", stderr: "", exitCode: null, timedOut: true, truncated: false };
  if (answer.status === 404) {
    throw new ProviderError(
      502,
      "the sandbox has no /v1/bash/exec: its image must be all-in-one-sandbox 1.9.3 or later",
    );
  }
  return readOutcome(answer.status, answer.body, outputBytesMax);
}

function readOutcome(status: number, body: unknown, outputBytesMax: number): ExecOutcome {
  const result = resultSchema.safeParse(body);
  const data = result.data?.data;
  if (status !== 200 || !result.success || !result.data.success || !data) {
    const message = result.data?.message ? `: ${result.data.message.slice(0, 300)}` : "";
    throw new ProviderError(502, `the sandbox did not run the code (HTTP ${status})${message}`);
  }
  const stdout = cutText(data.stdout ?? "", outputBytesMax);
  const stderr = cutText(data.stderr ?? "", outputBytesMax);
  return {
    stdout: stdout.text,
    stderr: stderr.text,
    exitCode: data.exit_code ?? null,
    timedOut: data.status === "timed_out" || data.status === "running",
    truncated: stdout.truncated || stderr.truncated,
  };
}

/** The shell command for a snippet: bash code as it is, other languages with the code as one quoted argument. */
export function shellCommand(run: RunRequest): string {
  const command = run.language === "bash" ? run.code : commandFor(run.language, run.code).map(quoteForShell).join(" ");
  if (Buffer.byteLength(command) > commandBytesMax) {
    throw new ProviderError(
      413,
      `the code with its quotes escaped is longer than ${commandBytesMax} bytes; shorten it`,
    );
  }
  return command;
}

function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
