import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Lent } from "../../src/core/credentials/credential.ts";
import { credentialOverlay, overlayText } from "../../src/core/credentials/credential-overlay.ts";
import { privilegesOfModel } from "../../src/core/privileges/privileges.ts";
import { parseModel } from "../../src/core/stack/model.ts";
import { host } from "../support/granted.ts";
import { type Combination, composeModel, type Mode, nameOf, overlaysOf, root } from "./model.ts";

const place = ["credentials", "claude"];
const fact = { kind: "file", mode: 0o600, uid: 1000, gid: 1000, size: 9 } as const;
const common = { name: "claude", service: "gateway", place };
const forms: Readonly<Record<Lent["form"], Lent>> = {
  env: {
    ...{ ...common, form: "env", pathVariables: [], variables: ["CLAUDE_CODE_OAUTH_TOKEN"] },
    chosen: { variable: "CLAUDE_CODE_OAUTH_TOKEN", origin: "env-file" },
  },
  file: { ...common, form: "file", path: "/home/alice/.claude/login.json", fact, pathVariables: ["CLAUDE_FILE"] },
  directory: {
    ...{ ...common, form: "directory", path: "/home/alice/.claude", pathVariables: ["CLAUDE_CONFIG_DIR"], entries: [] },
    fact: { ...fact, kind: "directory", mode: 0o700 },
  },
};
const modes = Object.keys(overlaysOf).filter((name): name is Mode => name in overlaysOf);
const combinations: readonly Combination[] = [
  ...modes.map((mode) => ({ mode, cliAuth: false, bindHost: undefined })),
  ...modes.map((mode) => ({ mode, cliAuth: false, bindHost: undefined, tls: "internal" }) as const),
  ...(["acme", "files"] as const).map((tls) => ({ mode: "local", cliAuth: false, bindHost: undefined, tls }) as const),
];

/** What each form adds to a stack, beside what the mode needs, as `SERVICE KIND DETAIL`. */
const promised: Readonly<Record<Lent["form"], readonly string[]>> = {
  env: ["gateway credential-variable CLAUDE_CODE_OAUTH_TOKEN"],
  file: ["credential-claude credential-directory /home/alice/.claude/login.json (ro)"],
  directory: ["gateway credential-directory /home/alice/.claude (ro)"],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "credentials-model-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function privilegesWith(combination: Combination, lent: readonly Lent[]): Promise<string[]> {
  const more = await Promise.all(
    lent.map(async (each) => {
      const path = join(folder, `${nameOf(combination)}-${each.form}.yaml`);
      await writeFile(path, overlayText(credentialOverlay([each], { toolRoot: root, isDefaultStack: true })));
      return path;
    }),
  );
  const model = parseModel(await composeModel(combination, ["CLAUDE_CODE_OAUTH_TOKEN=a-token"], more));
  if (!model.ok) throw new Error(JSON.stringify(model.findings));
  return privilegesOfModel(model.value, host).map(({ service, kind, detail }) => `${service} ${kind} ${detail}`);
}

test.each(combinations.map((each) => [nameOf(each), each] as const))(
  "in %s each form gives what it promises and nothing else",
  async (_name, combination) => {
    const before = await privilegesWith(combination, []);
    for (const lent of Object.values(forms)) {
      const after = await privilegesWith(combination, [lent]);
      expect(after.filter((each) => !before.includes(each))).toEqual(promised[lent.form]);
      expect(before.filter((each) => !after.includes(each))).toEqual([]);
    }
  },
);

test("the keeper is confined as every other service of the stack, and has no network at all", async () => {
  const path = join(folder, "keeper.yaml");
  await writeFile(path, overlayText(credentialOverlay([forms.file], { toolRoot: root, isDefaultStack: true })));
  const { services } = await composeModel({ mode: "local", cliAuth: false, bindHost: undefined }, [], [path]);
  const { gateway, store, ...others } = services;
  expect(others["credential-claude"]).toMatchObject({
    ...{ network_mode: "none", read_only: true, user: "1000:1000", cap_drop: ["ALL"], cap_add: [] },
    ...{ security_opt: ["no-new-privileges:true"], pids_limit: 16, cpus: 0.2, restart: "unless-stopped" },
    ...{ mem_limit: String(32 * 1024 * 1024), memswap_limit: String(32 * 1024 * 1024), ports: [], secrets: [] },
  });
  expect(gateway?.user).toBe("10002:10002");
  expect(store?.volumes.map(({ source }) => source)).toEqual(["store"]);
});
