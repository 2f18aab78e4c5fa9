import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const launcher = join(import.meta.dirname, "../../deploy");
const programs = ["sh", "cat", "find", "grep", "id", "ln", "ls", "mkdir", "readlink", "rm", "sleep", "tail", "touch"];
const sources = ["package.json", "package-lock.json", "src/main.ts", "src/core/plan/plan.ts", "scripts/build.mjs"];

/** A Node.js that answers -v, plays the build, and otherwise shows what the deploy tool was started with. */
export const fakeNode = `#!/bin/sh
[ "$1" != -- ] || shift
case $1 in
  -v) echo "\${FAKE_NODE_VERSION:-v20.19.0}"; exit ;;
  */scripts/build.mjs)
    echo build >>"$FAKE_LOG"
    [ -z "$FAKE_BUILD_FAILS" ] || { echo "src/main.ts:3:1: syntax error"; exit 1; }
    home=\${1%/scripts/build.mjs}
    touch "$home/dist/main.js" "$home/dist/.built" ;;
  */dist/main.js)
    echo start >>"$FAKE_LOG"
    shift
    printf 'cwd=%s\\n' "$(pwd)"
    printf 'arg=<%s>\\n' "$@"
    [ -z "$FAKE_READ_STDIN" ] || cat ;;
esac
`;

/** An npm that notes its arguments, can be held up or fail, and writes its marker last. */
export const fakeNpm = `#!/bin/sh
echo "npm $*" >>"$FAKE_LOG"
mkdir -p node_modules/esbuild
if [ -n "$FAKE_NPM_HOLD" ]; then until [ -e "$FAKE_NPM_HOLD" ]; do sleep 0.05; done; fi
[ -z "$FAKE_NPM_FAILS" ] || { echo "npm error code $FAKE_NPM_FAILS"; exit 1; }
touch node_modules/.package-lock.json
`;

/** How a launcher ended. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A launcher that may still be running. */
export interface Started {
  readonly pid: number;
  readonly done: Promise<Run>;
  readonly stderr: () => string;
}

/** How a launcher is called; by default from the folder above the checkout, with nothing on stdin. */
export interface Call {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly command?: string;
  readonly stdin?: string;
  /** Whether root, for whom nothing is read-only, hands over to an ordinary user. */
  readonly asOther?: boolean;
}

/** A copy of the launcher in a small checkout, with only scripted `node` and `npm` on the PATH. */
export interface Checkout {
  readonly root: string;
  readonly home: string;
  readonly bin: string;
  start(args: readonly string[], call?: Call): Started;
  run(args: readonly string[], call?: Call): Promise<Run>;
  /** What the scripted programs were asked to do, in order. */
  log(): Promise<string[]>;
  write(path: string, content: string, mode?: number): Promise<void>;
  /** Makes a file newer than everything built so far, without waiting for the clock. */
  touchLater(path: string): Promise<void>;
  touchEarlier(path: string): Promise<void>;
  /** Ends what still runs and removes everything. */
  remove(): Promise<void>;
}

const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Makes a checkout in a temporary folder whose name has a space in it. */
export async function makeCheckout(): Promise<Checkout> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "launcher-")));
  const home = join(root, "check out");
  const bin = join(root, "bin");
  const running: ChildProcess[] = [];
  for (const path of sources) await write(join(home, path), "");
  await copyFile(launcher, join(home, "deploy"));
  await mkdir(bin);
  for (const name of programs) await symlink(locate(name), join(bin, name));
  await write(join(bin, "node"), fakeNode, 0o755);
  await write(join(bin, "npm"), fakeNpm, 0o755);

  function start(
    args: readonly string[],
    { env, cwd = root, command = join(home, "deploy"), stdin, asOther }: Call = {},
  ): Started {
    const user = asOther ? nobody : {};
    const child = spawn(command, args, {
      cwd,
      env: { PATH: bin, FAKE_LOG: join(root, "log"), ...env },
      detached: true,
      ...user,
    });
    running.push(child);
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      output.stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output.stderr += chunk.toString();
    });
    // A launcher may end before it has read anything.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin ?? "");
    const done = new Promise<Run>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, ...output }));
    });
    return { pid: child.pid ?? 0, done, stderr: () => output.stderr };
  }

  return {
    root,
    home,
    bin,
    start,
    write,
    run: (args, call) => start(args, call).done,
    log: async () =>
      existsSync(join(root, "log")) ? (await readFile(join(root, "log"), "utf8")).trimEnd().split("\n") : [],
    touchLater: (path) => shiftTime(join(home, path), 60_000),
    touchEarlier: (path) => shiftTime(join(home, path), -60_000),
    remove: async () => {
      for (const child of running) child.kill("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
}

function locate(name: string): string {
  const candidates = (process.env["PATH"] ?? "").split(":").map((folder) => join(folder, name));
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`${name} is not on the PATH of this machine`);
  return path;
}

async function write(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
}

async function shiftTime(path: string, milliseconds: number): Promise<void> {
  const time = new Date(Date.now() + milliseconds);
  await utimes(path, time, time);
}
