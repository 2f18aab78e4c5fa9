import { createConnection } from "node:net";
import { listedLabels } from "../../core/stack/compose-argv.ts";
import type { Command, RunResult } from "../../world.ts";
import { dockerSettings, type Env } from "../compose/compose-plugin.ts";
import { ask } from "../processes/question.ts";

/** Where docker reaches the engine, and the version of its interface that it speaks there, as docker itself said. */
export interface EngineSocket {
  readonly path: string;
  readonly api: string;
  /** What docker goes by: with other settings it may reach another engine. */
  readonly settings: string;
}

/** The socket that docker named after the last deployment, while it would go by the same settings now. */
export function sameEngineSocket(last: unknown, home: string, env: Env): EngineSocket | undefined {
  const { path, api, settings } = recordOf(last);
  const known = typeof path === "string" && typeof api === "string" && typeof settings === "string";
  return known && settings === dockerSettings(home, env) ? { path, api, settings } : undefined;
}

/** The same question as requests to the engine, and how docker prints their answers. */
interface Question {
  readonly targets: readonly string[];
  readonly print: (answers: readonly unknown[]) => string;
}

/**
 * Puts to the engine itself what docker would be started for only to pass it on, and answers as docker does. Whatever is
 * not answered wholly and well is asked of docker, whose words an operator knows.
 */
export async function askEngine(
  socket: EngineSocket | undefined,
  command: Command,
  signal: AbortSignal,
): Promise<RunResult> {
  const question = questionOf(command.args);
  if (socket === undefined || question === undefined) return ask(command, signal);
  const answers = await Promise.all(question.targets.map((target) => answerTo(socket, target, signal)));
  if (signal.aborted) return { exitCode: 1, stdout: "", stderr: "nobody waits any more", missing: false };
  if (answers.includes(undefined)) return ask(command, signal);
  return { exitCode: 0, stdout: question.print(answers), stderr: "", missing: false };
}

function questionOf([noun = "", verb = "", ...words]: readonly string[]): Question | undefined {
  switch (`${noun} ${verb}`) {
    case "ps --all":
      return { targets: ["containers/json?all=1"], print: ([list]) => listOf(list).map(listedRow).join("") };
    case "container inspect":
      return { targets: words.map((id) => `containers/${encodeURIComponent(id)}/json`), print: JSON.stringify };
    case "volume inspect":
      return { targets: words.map((name) => `volumes/${encodeURIComponent(name)}`), print: JSON.stringify };
    case "image inspect": {
      // Behind --format and its template.
      const targets = words.slice(2).map((name) => `images/${encodeURIComponent(name)}/json`);
      return { targets, print: (images) => images.map(imageRow).join("") };
    }
    default:
      return undefined;
  }
}

function listedRow(container: unknown): string {
  const { Id, Names, Labels } = recordOf(container);
  // Names with a second slash are those that a link gave it.
  const names = listOf(Names).flatMap((name) => (/^\/[^/]+$/.test(`${name}`) ? [`${name}`.slice(1)] : []));
  const labels = recordOf(Labels);
  return `${[Id, names.join(","), ...listedLabels.map((label) => labels[label] ?? "")].join("\t")}\n`;
}

function imageRow(image: unknown): string {
  const { Id, RepoTags, RepoDigests, Config } = recordOf(image);
  return `${Id} ${[RepoTags, RepoDigests, Config].map((part) => JSON.stringify(part ?? null)).join(" ")}\n`;
}

/**
 * Asks by HTTP/1.0, whose answer ends with its connection (RFC 1945, section 1.3): Node's own client costs more than all
 * that is asked here. What is not such an answer, wholly, is none.
 */
function answerTo({ path, api }: EngineSocket, target: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = createConnection({ path });
    const end = (answer: unknown): void => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(answer);
    };
    const stop = (): void => end(undefined);
    signal.addEventListener("abort", stop);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", stop);
    socket.on("end", () => end(jsonOf(bodyOf(Buffer.concat(chunks)))));
    socket.write(`GET /v${api}/${target} HTTP/1.0\r\nHost: docker\r\n\r\n`);
  });
}

/** The body of an answer that says that all is well, and in which nothing but its end parts it. */
function bodyOf(answer: Buffer): string {
  const end = answer.indexOf("\r\n\r\n");
  const head = answer.toString("latin1", 0, Math.max(end, 0));
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  const isWhole = length === undefined || Number(length) === answer.length - end - 4;
  const isPlain = /^HTTP\/1\.[01] 200 /.test(head) && !/^transfer-encoding:/im.test(head);
  return isPlain && isWhole ? answer.toString("utf8", end + 4) : "";
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
