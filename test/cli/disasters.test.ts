import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, it, test } from "vitest";
import { seal } from "../../src/shell/files/seal.ts";
import { command, type Ended } from "../support/command.ts";
import { someOf } from "../support/some-of.ts";
import type { Rule } from "./support/scripted-docker.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const isRoot = process.getuid?.() === 0;
const at = (path: string) => join(workbench().folder, path);
const state = (path: string) => at(`.deploy/${path}`);

type Run = (...args: string[]) => Promise<Ended>;

/** Something that happens to the folder of the tool's state, and how commands end that change something after it. */
interface Disaster {
  readonly what: string;
  strike(first: string, second: string): Promise<unknown>;
  /** Ends it. */
  end?(): Promise<unknown>;
  /** How the tool is run while it lasts, if not as usual. */
  readonly run?: Run;
  readonly changes: { readonly rollback: number; readonly up: number; readonly down: number };
  /** What somebody has to be told by at least one of the commands. */
  readonly says?: RegExp;
  /** Commands that only look and cannot answer; all the others can. */
  readonly cannotTell?: readonly string[];
  readonly needsRoot?: true;
}

const fine = { rollback: 0, up: 0, down: 0 };
const refused = { rollback: 3, up: 3, down: 3 };

async function change(path: string, to: (text: string) => string): Promise<void> {
  const text = await readFile(path, "utf8");
  expect(to(text)).not.toBe(text);
  await writeFile(path, to(text));
}

/** Changes what is sealed, as a tool of that user would have written it. */
async function changeSealed(path: string, to: (text: string) => string): Promise<void> {
  const key = await readFile(at("../../home/.local/state/sandbox-deploy/receipt-key"), "utf8");
  const { receipt } = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify(seal(key, JSON.parse(to(JSON.stringify(receipt))))));
}

const mountedCopy = (id: string) => state(`history/${id}/mounted/03-config.yaml`);
const inTheFuture = (text: string) => text.replaceAll(/"20\d\d-(\d\d-\d\dT)/g, '"2099-$1');

const disasters: Disaster[] = [
  {
    what: "whose clock was set back by decades",
    async strike(first, second) {
      for (const id of [first, second]) {
        const later = `2099${id.slice(4)}`;
        await changeSealed(state(`history/${id}/deployment.json`), (text) => inTheFuture(text).replaceAll(id, later));
        await rename(state(`history/${id}`), state(`history/${later}`));
      }
      await changeSealed(state("receipt.json"), (text) => inTheFuture(text).replace(second, `2099${second.slice(4)}`));
      await change(state("audit.jsonl"), inTheFuture);
    },
    changes: fine,
  },
  {
    what: "in which the merged model of a record was cut off",
    strike: (first) => change(state(`history/${first}/model.json`), (text) => text.slice(0, text.length / 2)),
    changes: { ...fine, rollback: 3 },
    says: /D097 that deployment cannot run again: .*model\.json, the merged model of .*, is damaged\n/,
  },
  {
    what: "in which one letter of a record's merged model is another one",
    strike: (first) => change(state(`history/${first}/model.json`), (text) => text.replace('"user": "', '"user": "1')),
    changes: { ...fine, rollback: 3 },
    says: /D097 that deployment cannot run again: .*model\.json, the merged model of .*, is damaged\n/,
  },
  {
    what: "in which the copies of a record are damaged or gone",
    async strike(first) {
      const [config = "", env = "", ...others] = (await readdir(state(`history/${first}/files`))).toSorted();
      await writeFile(state(`history/${first}/files/${config}`), Buffer.from([0xff, 0xfe]));
      await change(state(`history/${first}/files/${env}`), (text) => text.replace("PASSWORD=k", "PASSWORD=x"));
      for (const name of others) await rm(state(`history/${first}/files/${name}`));
    },
    changes: fine,
    says: /warning D097 .*02-\.env, the copy of .*\.env, is damaged or gone/,
  },
  {
    what: "in which somebody changed a letter of a record's copy of a file that is another one by now",
    async strike(first) {
      await change(mountedCopy(first), (text) => text.replace("Local", "local"));
      await change(at("config.yaml"), (text) => `${text}# edited\n`);
    },
    changes: { ...fine, rollback: 3 },
    says: /D097 that deployment cannot run again: .*03-config\.yaml, its copy of .*config\.yaml, is damaged or gone, and/,
  },
  {
    what: "in which a record's copy of a file is gone that is another one by now",
    async strike(first) {
      await rm(mountedCopy(first));
      await change(at("config.yaml"), (text) => `${text}# edited\n`);
    },
    changes: { ...fine, rollback: 3 },
    says: /D097 that deployment cannot run again: .*03-config\.yaml, its copy of .*config\.yaml, is damaged or gone, and/,
  },
  {
    what: "in which a record's copy of a file is damaged that is still what it was",
    strike: (first) => change(mountedCopy(first), (text) => text.slice(0, 10)),
    changes: fine,
  },
  {
    what: "whose records an earlier version wrote, without hashes of the model and of the copies",
    async strike(first, second) {
      for (const id of [first, second])
        await changeSealed(state(`history/${id}/deployment.json`), (text) =>
          text.replace(/"modelHash":"[^"]*",/, "").replace(/(03-config\.yaml"),"hash":"[^"]*"/, "$1"),
        );
      await change(at("config.yaml"), (text) => `${text}# edited\n`);
    },
    changes: fine,
  },
  {
    what: "whose receipt was cut off",
    strike: () => change(state("receipt.json"), (text) => text.slice(0, text.length / 2)),
    changes: fine,
    says: /warning D080/,
  },
  {
    what: "whose receipt a newer version wrote",
    strike: () => changeSealed(state("receipt.json"), (text) => text.replace('"version":1', '"version":2')),
    changes: fine,
    says: /D080 .* a newer version of this tool wrote/,
  },
  {
    what: "whose records newer versions wrote",
    async strike(...ids) {
      for (const id of ids)
        await changeSealed(state(`history/${id}/deployment.json`), (text) =>
          text.replace('"version":1', '"version":2'),
        );
    },
    changes: { ...fine, rollback: 3 },
    says: /D097 no earlier deployment/,
    cannotTell: ["diff"],
  },
  {
    what: "that is gone, all of it",
    strike: () => rm(at(".deploy"), { recursive: true }),
    changes: { ...fine, rollback: 3 },
    says: /D097 no earlier deployment/,
    cannotTell: ["diff"],
  },
  {
    what: "on a file system that became read-only",
    async strike() {
      spawnSync("mount", ["--bind", at(".deploy"), at(".deploy")]);
      spawnSync("mount", ["-o", "remount,bind,ro", at(".deploy")]);
    },
    end: async () => spawnSync("umount", [at(".deploy")]),
    changes: refused,
    says: /error D049 .*\/\.deploy\/lock cannot be written: the file system is read-only\n {2}fix: .*docker compose --project-name scripted down/,
    needsRoot: true,
  },
  {
    what: "that belongs to another user while root deploys",
    strike: () => chown(at(".deploy"), 4321, 4321),
    end: () => chown(at(".deploy"), 0, 0),
    changes: refused,
    says: /error D049 .*\/\.deploy cannot be written: it belongs to another user\n {2}fix: run this as its owner, or/,
    needsRoot: true,
  },
  {
    what: "that root made before another user deploys",
    async strike() {
      spawnSync("chown", ["-R", "4321:4321", at("../..")]);
      spawnSync("chown", ["-R", "0:0", at(".deploy")]);
      for (const folder of [inject("benches"), inject("tool")]) await chmod(folder, 0o755);
    },
    end: async () => spawnSync("chown", ["-R", "0:0", at("../..")]),
    run(...args) {
      const { environment: env, folder: cwd, tool } = workbench();
      const line = [process.execPath, "--", join(tool, "dist/main.js"), ...args];
      return command("setpriv", ["--reuid=4321", "--regid=4321", "--clear-groups", ...line], { cwd, env });
    },
    changes: { rollback: 2, up: 2, down: 2 },
    says: /error D014 .*\/\.deploy\/history cannot be read: permission denied/,
    cannotTell: ["plan", "history", "diff", "unlock", "secrets"],
    needsRoot: true,
  },
];

const looks = [["status"], ["plan"], ["history"], ["diff"], ["unlock"], ["secrets", "list"], ["secrets", "check"]];

/** Everything that must be what it was: the operator's secrets, and those that containers mount. */
async function secrets(): Promise<string[]> {
  const names = (await readdir(state("secrets")).catch(() => [])).toSorted();
  return Promise.all(
    [at(".env"), ...names.map((name) => state(`secrets/${name}`))].map((path) => readFile(path, "utf8")),
  );
}

async function twoDeployments(): Promise<[string, string]> {
  workbench().openFrontDoor("local");
  const env = await workbench().read(".env");
  for (const limit of [101, 102]) {
    await workbench().write(".env", `${env}RATE_LIMIT_PER_MINUTE=${limit}\n`);
    expect(await workbench().deploy("up")).toMatchObject({ exitCode: 0 });
  }
  const [first = "", second = ""] = (await readdir(state("history"))).toSorted();
  return [first, second];
}

describe("a state folder", () => {
  test.each(someOf(disasters, 2))(
    "$what: every command says what is wrong or does what it should, no secret changes, and up works when it is over",
    async ({ strike, end, run, changes, says = /(?:)/, cannotTell = [], needsRoot }) => {
      if (needsRoot && !isRoot) return expect(process.getuid?.()).not.toBe(0);
      const ids = await twoDeployments();
      const before = await secrets();
      await strike(...ids);
      const told: string[] = [];
      const ends = async (args: readonly string[]) => {
        const { exitCode, stderr } = await (run ?? workbench().deploy)(...args);
        told.push(`${args.join(" ")}: ${exitCode}\n${stderr}`);
        expect(stderr).not.toMatch(/this is a bug|\n {4}at /);
        return exitCode;
      };
      try {
        const looked = await Promise.all(looks.map(async (args) => [args[0] ?? "", await ends(args)] as const));
        for (const [name, exitCode] of looked)
          expect(cannotTell.includes(name) ? [0, 2] : [0], told.join("\n")).toContain(exitCode);
        const [rollback, up, down] = [await ends(["rollback", "--yes"]), await ends(["up"]), await ends(["down"])];
        expect({ rollback, up, down }, told.join("\n")).toEqual(changes);
        expect(told.join("\n")).toMatch(says);
      } finally {
        await end?.();
      }
      expect(await workbench().deploy("up")).toMatchObject({ exitCode: 0 });
      expect(await secrets()).toEqual(before);
      expect(await readdir(at(".deploy"))).not.toContain("lock");
    },
  );
});

/** Leaves so many pages of a small disk free while something is done. */
async function withPagesFree<T>(pages: number, work: () => Promise<T>): Promise<T> {
  const { bavail, bsize } = statfsSync(at(".deploy"));
  await writeFile(state("filler"), Buffer.alloc((bavail - pages) * bsize));
  return work().finally(() => rm(state("filler")));
}

describe("a disk that fills up", () => {
  it.runIf(isRoot)(
    "at any moment of up, rollback and down costs no secret, and what is refused was not begun",
    { timeout: 120_000 },
    async () => {
      const bench = workbench();
      await mkdir(at(".deploy"));
      spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at(".deploy")]);
      const codes = new Set<number>();
      try {
        await twoDeployments();
        for (const pages of someOf([2, 9, 0, 5], 2)) {
          await change(at(".env"), (text) => text.replace(/MINUTE=\d+/, `MINUTE=${200 + pages}`));
          const before = await secrets();
          for (const args of [["up"], ["rollback", "--yes"], ["down"]]) {
            const changes = (await bench.changes()).length;
            const { exitCode, stderr } = await withPagesFree(pages, () => bench.deploy(...args));
            const told = `${args.join(" ")} with ${pages} pages free: ${exitCode}\n${stderr}`;
            codes.add(exitCode);
            expect([0, 3], told).toContain(exitCode);
            if (exitCode === 3)
              expect([(await bench.changes()).length, stderr], told).toEqual([
                changes,
                expect.stringMatching(/error D0(49|97)/),
              ]);
            expect(await secrets(), told).toEqual(before);
            expect(
              (await readdir(at(".deploy"))).filter((name) => /^lock|\.tmp$/.test(name)),
              told,
            ).toEqual([]);
            const { deployments } = JSON.parse((await bench.deploy("history", "--json")).stdout);
            const runs = deployments.find((each: { runs: boolean }) => each.runs);
            // Whatever is said to run was verified last.
            if (runs !== undefined)
              expect(runs, told).toEqual(deployments.find((each: { outcome: string }) => each.outcome === "done"));
          }
          expect(await bench.deploy("up")).toMatchObject({ exitCode: 0 });
        }
        expect([...codes].toSorted()).toEqual([0, 3]);
      } finally {
        spawnSync("umount", [at(".deploy")]);
      }
    },
  );
});

describe("an engine that goes away in the middle of an up", () => {
  const away = {
    exitCode: 1,
    stderr: "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n",
  };

  async function upWithout(...rules: Rule[]): Promise<Ended> {
    const bench = workbench();
    await bench.write("deploy.config.yaml", "version: 1\nproject: scripted\nhealth: { waitSeconds: 2 }\n");
    await twoDeployments();
    await change(at(".env"), (text) => text.replace(/MINUTE=\d+/, "MINUTE=300"));
    await bench.script(...rules);
    const ended = await bench.deploy("up");
    await bench.script();
    expect(await readdir(at(".deploy"))).not.toContain("lock");
    return ended;
  }

  it("is waited for, and what ran before is back once it answers", async () => {
    const { exitCode, stderr } = await upWithout({
      when: "^compose .* up ",
      ...away,
      starts: true,
      afterwards: [{ when: "^ps", ...away, times: 1 }],
    });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("warning D098")]);
    expect(stderr).toContain("error D041");
  });

  it("and stays away is a failure, not a refusal, and both stories are told", async () => {
    const bench = workbench();
    const { exitCode, stderr } = await upWithout({
      when: "^compose .* up ",
      ...away,
      starts: true,
      afterwards: [{ when: "", ...away }],
    });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/error D041[\s\S]*error D098 what ran before/)]);
    expect(stderr).toContain("the engine does not answer, as while it is restarted; waiting for it");
    expect(await bench.deploy("up")).toMatchObject({ exitCode: 0 });
  });
});
