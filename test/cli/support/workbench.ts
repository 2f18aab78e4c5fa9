import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { command, type Ended, eventually } from "../../support/command.ts";
import { freePort, repositoryRoot } from "../../support/stack.ts";

/** An answer of the scripted docker to calls whose arguments, joined by spaces, match `when`. */
export interface Rule {
  readonly when: string;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Written one after the other, so that they arrive in pieces. */
  readonly chunks?: readonly string[];
  /** The call counts as a successful `compose up`. */
  readonly starts?: boolean;
  /** Only so many of the calls that match are answered like this, counted from when it was scripted. */
  readonly times?: number;
  /** The call does not end by itself. */
  readonly hangs?: boolean;
}

/** A folder with a configuration, and the real tool with a scripted `docker` first on PATH. */
export interface Workbench {
  readonly folder: string;
  readonly port: number;
  /** The folder of the tool itself, as it shows in paths. */
  readonly tool: string;
  /** The variables that the tool runs with; undefined ones are taken away. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  deploy(...args: string[]): Promise<Ended>;
  /** Like deploy, with other variables; an undefined one is taken away. */
  deployWith(env: Readonly<Record<string, string | undefined>>, ...args: string[]): Promise<Ended>;
  script(...rules: Rule[]): Promise<void>;
  write(name: string, text: string): Promise<void>;
  read(name: string): Promise<string>;
  /** Sets what a service's health check says once it runs. */
  health(service: string, health: unknown): Promise<void>;
  /** Every call of docker so far, with the folders of the test replaced by <here> and <tool>. */
  calls(): Promise<string[][]>;
  /** The calls that change something. */
  changes(): Promise<string[][]>;
  /** Answers at the front door as soon as `compose up` was called. */
  openFrontDoor(mode: string): void;
  dispose(): Promise<void>;
}

const realDocker = ["/usr/local/bin", ...(process.env["PATH"] ?? "").split(delimiter)]
  .map((folder) => join(folder, "docker"))
  .find((path) => existsSync(path));

/** Bundles the tool as it is in the working tree; the folder is to be removed by the caller. */
export async function buildTool(): Promise<string> {
  const tool = await mkdtemp(join(tmpdir(), "deploy-tool-"));
  const built = await command(process.execPath, [
    join(repositoryRoot, "scripts/build.mjs"),
    join(tool, "dist"),
    "0.0.1-test",
  ]);
  if (built.exitCode !== 0) throw new Error(`the tool could not be built: ${built.stderr}`);
  await writeFile(join(tool, "package.json"), '{"type":"module"}');
  await Promise.all(["compose", "templates"].map((name) => symlink(join(repositoryRoot, name), join(tool, name))));
  return tool;
}

/** Lays out a folder in `local` mode, with secrets and images in place. */
export async function createWorkbench(tool: string): Promise<Workbench> {
  const base = await mkdtemp(join(tmpdir(), "deploy-cli-"));
  const [folder, bin, home] = [join(base, "here"), join(base, "bin"), join(base, "home")];
  await Promise.all([folder, bin, home].map((path) => mkdir(path)));
  const port = await freePort();
  const at = (name: string) => join(folder, name);
  const rawCalls = async () =>
    (await readFile(join(bin, "calls.jsonl"), "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  const script = async (...rules: Rule[]) => {
    const earlierCalls = (await rawCalls()).length;
    await writeFile(join(bin, "scenario.json"), JSON.stringify({ rules, realDocker, earlierCalls }));
  };
  await writeFile(
    join(bin, "docker"),
    `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "scripted-docker.mjs")}" "$@"\n`,
    { mode: 0o755 },
  );
  await script();
  await writeFile(at("deploy.config.yaml"), "version: 1\nproject: scripted\n");
  await writeFile(at("config.yaml"), "sandbox:\n  use: deerflow.sandbox.local:LocalSandboxProvider\n");
  await writeFile(at(".env"), `PORT=${port}\nGATEWAY_API_KEY=${"a".repeat(43)}\nSTORE_PASSWORD=${"b".repeat(32)}\n`, {
    mode: 0o600,
  });
  const named = (text: string) => text.replaceAll(folder, "<here>").replaceAll(tool, "<tool>");
  const calls = async () => (await rawCalls()).map((line) => (JSON.parse(line) as string[]).map(named));
  const changes = async () => (await calls()).filter(changesSomething);
  let server: Server | undefined;
  const environment = {
    ...withoutSecrets(),
    PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
    HOME: home,
    CI: "true",
    SCRIPTED_DOCKER: bin,
  };
  const deployWith: Workbench["deployWith"] = (env, ...args) =>
    command(process.execPath, ["--", join(tool, "dist/main.js"), ...args], {
      cwd: folder,
      env: { ...environment, ...env },
    });
  return {
    folder,
    port,
    tool,
    environment,
    deploy: (...args) => deployWith({}, ...args),
    deployWith,
    script,
    write: (name, text) => writeFile(at(name), text),
    read: (name) => readFile(at(name), "utf8"),
    health: (service, health) => writeFile(join(bin, "health.json"), JSON.stringify({ [service]: health })),
    calls,
    changes,
    openFrontDoor(mode) {
      server = createServer((_request, response) => response.end(JSON.stringify({ status: "ok", mode })));
      const open = async () => {
        await eventually(async () => {
          if (!(await changes()).some((argv) => argv.includes("up"))) throw new Error("compose up was not called");
        });
        server?.listen(port, "127.0.0.1");
      };
      // Without an `up` nobody asks at the door either.
      void open().catch(() => undefined);
    },
    async dispose() {
      await new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(undefined)));
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** The variables of the machine that the tests run on, less those that Compose or the tool would take for theirs. */
function withoutSecrets(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) =>
    /^COMPOSE_|^DOCKER_|KEY|TOKEN|SECRET|PASS|NO_COLOR|FORCE_COLOR/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

const reading = [
  /^compose version/,
  /^compose .*\bconfig\b/,
  /^compose .*\blogs\b/,
  /^(ps|logs|info|version)\b/,
  /^(container|image|network|volume) (inspect|ls)\b/,
];

function changesSomething(argv: readonly string[]): boolean {
  return !reading.some((pattern) => pattern.test(argv.join(" ")));
}
