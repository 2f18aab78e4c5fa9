import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { delimiter, dirname, join } from "node:path";
import { command, type Ended } from "../../support/command.ts";
import { isFree } from "../../support/stack.ts";
import { type Rule, startScriptedDocker } from "./scripted-docker.ts";

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
  /** From now on a second `up` finds nothing to do. */
  remember(): Promise<void>;
  /** Every call of docker so far, with the folders of the test replaced by <here> and <tool>. */
  calls(): Promise<string[][]>;
  /** The calls that change something. */
  changes(): Promise<string[][]>;
  /** Answers at the front door as soon as `compose up` was called. */
  openFrontDoor(mode: string): void;
  dispose(): Promise<void>;
}

const bash = programPath("bash");

/** Values as the tool generates them: weak ones would be findings in every test. */
const apiKey = "k4ZCOL4ZosAa8q8M5Gr3_zu6AwUh6YOW2cjFE7Dxetk4";
const storePassword = "k9UFcVG1xoP1Aunit2RuNo4v2rHy0XVQu";

function programPath(name: string): string {
  const folders = ["/usr/local/bin", ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}

/** Lays out a folder in `local` mode, with secrets and images in place. */
export async function createWorkbench(tool: string, benches: string, compose: string): Promise<Workbench> {
  const { base, port } = await takePlace(benches);
  const [folder, bin, home] = [join(base, "desk/here"), join(base, "bin"), join(base, "home")];
  await Promise.all([folder, bin, home].map((path) => mkdir(path, { recursive: true })));
  const at = (name: string) => join(folder, name);
  await writeFile(at("deploy.config.yaml"), "version: 1\nproject: scripted\n");
  await writeFile(at("config.yaml"), "sandbox:\n  use: deerflow.sandbox.local:LocalSandboxProvider\n");
  await writeFile(at(".env"), `PORT=${port}\nGATEWAY_API_KEY=${apiKey}\nSTORE_PASSWORD=${storePassword}\n`, {
    mode: 0o600,
  });
  const frontDoor = createFrontDoor(port);
  const inputs = [dirname(folder), join(tool, "compose")];
  const docker = await startScriptedDocker({
    bin,
    bash,
    compose,
    inputs,
    answers: benches,
    called: frontDoor.knock,
  });
  const named = (text: string) => text.replaceAll(folder, "<here>").replaceAll(tool, "<tool>");
  const calls = () => docker.calls.map((argv) => argv.map(named));
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
    script: async (...rules) => docker.script(rules),
    write: (name, text) => writeFile(at(name), text),
    read: (name) => readFile(at(name), "utf8"),
    health: async (service, health) => docker.health(service, health),
    remember: async () => docker.remember(),
    calls: async () => calls(),
    changes: async () => calls().filter(changesSomething),
    openFrontDoor: frontDoor.open,
    async dispose() {
      await Promise.all([frontDoor.close(), docker.close()]);
      await rm(base, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * Tests that do not run at the same time use the same folder and the same port, so that what one of them asked Compose
 * serves the next. The port is one that no program gets by itself, and no longer used when another program has it.
 */
async function takePlace(benches: string): Promise<{ readonly base: string; readonly port: number }> {
  for (let number = 1; ; number += 1) {
    const base = join(benches, String(number));
    const made = await mkdir(base).then(
      () => true,
      () => false,
    );
    if (!made) continue;
    const known = Number(await readFile(`${base}.port`, "utf8").catch(() => "0"));
    const port = known > 0 && (await isFree(known)) ? known : await quietPort();
    if (port !== known) await writeFile(`${base}.port`, String(port));
    return { base, port };
  }
}

async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

/** A front door that answers as soon as it was opened and `compose up` was called, until `compose down` is. */
function createFrontDoor(port: number) {
  let started = false;
  let server: Server | undefined;
  const listen = () => {
    if (started && server?.listening === false) server.listen(port, "127.0.0.1");
  };
  return {
    open(mode: string) {
      server = createServer((_request, response) => response.end(JSON.stringify({ status: "ok", mode })));
      listen();
    },
    knock(argv: readonly string[]) {
      if (argv[0] === "compose" && argv.includes("down")) {
        started = false;
        server?.close();
        server?.closeAllConnections();
      }
      started ||= argv.includes("up") && changesSomething(argv);
      listen();
    },
    close: () => new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(undefined))),
  };
}

/** The variables of the machine that the tests run on, less those that Compose or the tool would take for theirs. */
function withoutSecrets(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) =>
    /^COMPOSE_|^DOCKER_|^VITEST|KEY|TOKEN|SECRET|PASS|NO_COLOR|FORCE_COLOR/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Calls that change nothing of the stack: questions, and claims to the lock. */
const reading = [
  /^compose version/,
  /^compose .*\bconfig\b/,
  /^compose .*\blogs\b/,
  /^(ps|logs|info|version)\b/,
  /^(container|context|image|network|volume) (inspect|ls)\b/,
  /^volume (create --label|rm --force) sandbox-deploy[.-]lock/,
];

function changesSomething(argv: readonly string[]): boolean {
  return !reading.some((pattern) => pattern.test(argv.join(" ")));
}
