import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { someOf } from "../support/some-of.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const secret = "planted9f3c7d1e5b";

describe("deploy.config.yaml", () => {
  it("that is missing is D014 and says where to go", async () => {
    await rm(join(workbench().folder, "deploy.config.yaml"));
    const said = await refused(workbench(), 2, "up");
    expect(said).toContain(`error D014 there is no configuration at ${workbench().folder}/deploy.config.yaml`);
    expect(said).toContain("fix: run this in the folder that holds deploy.config.yaml, or name the file with --config");
  });

  it("that is no text is D014", async () => {
    await writeFile(join(workbench().folder, "deploy.config.yaml"), Buffer.from([0x76, 0xe4, 0xff]));
    const said = await refused(workbench(), 2, "up");
    expect(said).toMatch(/error D014 .*deploy\.config\.yaml cannot be read: it is not UTF-8 text/);
    expect(said).toContain("fix: check its permissions and its encoding (UTF-8)");
  });

  it("that is a directory is D014", async () => {
    await rm(join(workbench().folder, "deploy.config.yaml"));
    await mkdir(join(workbench().folder, "deploy.config.yaml"));
    expect(await refused(workbench(), 2, "plan")).toMatch(/error D014 .*cannot be read: it is a directory/);
  });

  const problems: [string, string, string[]][] = [
    [
      "a mode that does not exist",
      "version: 1\n# where code runs\nsandbox:\n  mode: docker\n",
      [
        "deploy.config.yaml:4:9 error D012 sandbox.mode must be one of auto, local, aio, provisioner",
        "  4 |   mode: docker\n    |         ^\n",
        "  fix: set sandbox.mode to one of auto, local, aio, provisioner",
      ],
    ],
    [
      "a mode with a slip of the pen",
      "version: 1\nsandbox: {mode: provisoner}\n",
      ["deploy.config.yaml:2:17 error D012", "fix: did you mean provisioner?"],
    ],
    [
      "an unknown key",
      "version: 1\nsandbox:\n  mod: local\n",
      ["deploy.config.yaml:3:3 error D011 sandbox.mod is not a known key", "fix: did you mean sandbox.mode?"],
    ],
    [
      "an unknown key that resembles none",
      "version: 1\nhealth:\n  xyzzy: 1\n",
      [
        "deploy.config.yaml:3:3 error D011 health.xyzzy is not a known key",
        "fix: known here: waitSeconds, settleSeconds, path",
      ],
    ],
    [
      "a wrong type",
      "version: 1\nhealth:\n  waitSeconds: soon\n",
      ["deploy.config.yaml:3:16 error D013 health.waitSeconds must be a number", "fix: write a number here"],
    ],
    ["a fraction", "version: 1\nhealth:\n  waitSeconds: 1.5\n", ["deploy.config.yaml:3:16 error D013", "whole number"]],
    [
      "a text where a list belongs",
      "version: 1\ncompose:\n  overlays:\n    local: extra.yaml\n",
      ["deploy.config.yaml:4:12 error D013 compose.overlays.local must be a list"],
    ],
    ["no version", "project: p\n", ["deploy.config.yaml error D013 version is missing", "fix: add version: 1"]],
    ["a file that is a list", "- version\n", ["deploy.config.yaml error D013 the file must be a mapping"]],
    [
      "a number that is too small",
      "version: 1\nhealth: {waitSeconds: 0}\n",
      ["deploy.config.yaml:2:23 error D012 health.waitSeconds must be 1 or more"],
    ],
    [
      "YAML that breaks off",
      'version: 1\nproject: "scripted\n',
      ["deploy.config.yaml:3:1 error D010 this is not valid YAML", "fix: check the indentation"],
    ],
    [
      "a tab as indentation",
      "version: 1\nsandbox:\n\tmode: local\n",
      ["deploy.config.yaml:3:1 error D010", "fix: check the indentation (spaces, no tabs)"],
    ],
    ["a key twice", "version: 1\nproject: a\nproject: b\n", ["deploy.config.yaml:3:1 error D010", "unique"]],
    [
      "a wrong mode inside a detection rule",
      "version: 1\nplatform:\n  detection:\n    rules:\n      - key: sandbox.use\n        mode: docker\n",
      ["deploy.config.yaml:6:15 error D012 platform.detection.rules[0].mode must be one of local, aio, provisioner"],
    ],
    [
      "an unknown key inside a detection rule",
      "version: 1\nplatform:\n  detection:\n    rules:\n      - key: a\n        mode: aio\n        equal: b\n",
      [
        "deploy.config.yaml:7:9 error D011 platform.detection.rules[0].equal is not a known key",
        "fix: did you mean platform.detection.rules[0].equals?",
      ],
    ],
    [
      "an unknown set of detection rules",
      "version: 1\nplatform:\n  detection: deerflow\n",
      [
        "deploy.config.yaml:3:14 error D012 platform.detection must be deer-flow or a mapping",
        "fix: did you mean deer-flow?",
      ],
    ],
  ];
  test.each(someOf(problems, 6))("with %s is told with its place and a fix", async (_case, text, expected) => {
    await workbench().write("deploy.config.yaml", text);
    const said = await refused(workbench(), 2, "up");
    for (const part of expected) expect(said).toContain(part);
  });

  it("with several problems tells them all, in the order of the file", async () => {
    await workbench().write("deploy.config.yaml", "version: 2\nprojekt: x\nsandbox:\n  mode: docker\nhealth: 3\n");
    const said = await refused(workbench(), 2, "up");
    const places = said.match(/^deploy\.config\.yaml:\S+ error \S+/gm);
    expect(places).toEqual([
      "deploy.config.yaml:1:10 error D012",
      "deploy.config.yaml:2:1 error D011",
      "deploy.config.yaml:4:9 error D012",
      "deploy.config.yaml:5:9 error D013",
    ]);
  });

  it("with a problem stops detect as well, rather than being passed over", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\nsandbox: {mode: docker}\n");
    expect(await refused(workbench(), 2, "detect", "config.yaml")).toContain("deploy.config.yaml:2:17 error D012");
  });
});

describe("the platform's configuration", () => {
  it("with a syntax error is D010 or D020 with its place", async () => {
    await workbench().write("config.yaml", "sandbox:\n  use: [unclosed\n");
    expect(await refused(workbench(), 2, "up")).toMatch(/^config\.yaml:\d+:\d+ error D0(10|20) /m);
  });
});

describe("the environment file", () => {
  it("with an unterminated quote is D030 with its place and without the value", async () => {
    await workbench().write(".env", `PORT=1\nSTORE_PASSWORD="${secret}\n`);
    for (const command of ["up", "plan", "config", "build", "pull"]) {
      const said = await refused(workbench(), 2, command);
      expect(said).toMatch(/^\.env:2:\d+ error D030 .*never closed/m);
      expect(said).toContain("fix: close the value with the quote it begins with");
      expect(said).not.toContain(secret);
    }
  });

  it("that --env-file names and that is not there is D014", async () => {
    for (const command of ["up", "plan"]) {
      const said = await refused(workbench(), 2, command, "--env-file", "production.env");
      expect(said).toContain("error D014 there is no environment file production.env, which --env-file names");
      expect(said).toContain("fix: correct the path");
    }
  });
});

describe("a Compose file", () => {
  const withOverlay = async (text: string) => {
    const bench = workbench();
    await bench.write("overlay.yaml", text.replaceAll("<here>", bench.folder));
    await bench.write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [overlay.yaml]\n",
    );
    await bench.write(".env", `PORT=${bench.port}\n`);
    return join(bench.folder, "overlay.yaml");
  };

  it("that is missing is D014, pointing into deploy.config.yaml", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\ncompose:\n  base: ../absent/compose.yaml\n");
    const said = await refused(workbench(), 2, "up");
    expect(said).toMatch(
      /^deploy\.config\.yaml:3:3 error D014 the Compose file .*absent\/compose\.yaml does not exist/m,
    );
    expect(said).toContain("fix: correct compose.base");
  });

  it("with a syntax error is D010 with the right line, which Compose does not know", async () => {
    const path = await withOverlay("services:\n  store:\n    image: x\n   labels: {}\n");
    expect(await refused(workbench(), 2, "up")).toMatch(
      new RegExp(`^${path}:4:\\d+ error D010 this is not valid YAML`, "m"),
    );
  });

  it("with an unknown key is D032 at that key", async () => {
    const path = await withOverlay("services:\n  store:\n    image: x\n    portz: []\n");
    const said = await refused(workbench(), 2, "up");
    expect(said).toContain(`${path}:4:5 error D032`);
    expect(said).toContain("'portz' not allowed");
  });

  it("that needs a variable which is not set is D031 at the place of the need", async () => {
    const path = await withOverlay(
      "services:\n  store:\n    environment:\n      # ${NEEDED:?no}\n      A: x${NEEDED:?ask Ada}\n",
    );
    const said = await refused(workbench(), 2, "up");
    expect(said).toContain(
      `${path}:5:11 error D031 the Compose files need the variable NEEDED, which is not set: ask Ada`,
    );
    expect(said).toContain("fix: add NEEDED=… to the environment file, or export it");
  });

  it("that one mode alone names is D014 as well, pointing at that entry", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\ncompose:\n  overlays:\n    local: [a.yaml, b.yaml]\n");
    await workbench().write("a.yaml", "services: {}\n");
    expect(await refused(workbench(), 2, "up")).toMatch(/^deploy\.config\.yaml:4:21 error D014 .*\/b\.yaml/m);
  });

  it.each([
    ["an unterminated quote", `A=1\nTOKEN="${secret}\n`, "2:"],
    ["a space in a name", `A=1\nmy ${secret}\n`, "2:"],
    ["a character that no name may have", `${secret}!x=3\n`, "1:"],
    ["a brace that is never closed", `A=1\nTOKEN=\${${secret}\n`, "2:"],
  ])("whose env_file holds %s is D030 there, without the value", async (_case, text, place) => {
    await withOverlay("services:\n  store:\n    env_file: [<here>/service.env]\n");
    await workbench().write("service.env", text);
    const said = await refused(workbench(), 2, "up");
    expect(said).toMatch(new RegExp(`/service\\.env:${place}\\d+ error D030 `));
    expect(said).not.toContain(secret);
  });

  it("whose env_file does not exist is D014 at the line that names it", async () => {
    const path = await withOverlay("services:\n  store:\n    env_file: [<here>/service.env]\n");
    const said = await refused(workbench(), 2, "up");
    expect(said.startsWith(`${path}:3:`)).toBe(true);
    expect(said).toContain(`error D014 the Compose files name ${workbench().folder}/service.env`);
  });
});

describe("a service that does not exist", () => {
  it.each(["logs", "restart"])("is D033 for %s, with the services there are", async (command) => {
    workbench().openFrontDoor("local");
    await workbench().deploy("up");
    const before = (await workbench().changes()).length;
    const ended = await workbench().deploy(command, "gatewya");
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("error D033 scripted has no service gatewya");
    expect(ended.stderr).toContain("fix: did you mean gateway? its services are gateway, proxy, store");
    expect(ended.stdout).toBe("");
    expect((await workbench().changes()).length).toBe(before);
  });

  it("is D033 for build and pull, before anything runs", async () => {
    for (const command of ["build", "pull"])
      expect(await refused(workbench(), 2, command, "stoer")).toContain("did you mean store?");
  });

  it("is told differently where nothing runs", async () => {
    expect(await refused(workbench(), 2, "logs", "gateway")).toContain(
      "fix: nothing of it runs: ./deploy up starts it",
    );
  });

  it("is not needed for logs to say that nothing is deployed", async () => {
    const { exitCode, stdout, stderr } = await workbench().deploy("logs");
    expect([exitCode, stdout, stderr]).toEqual([
      0,
      "",
      "nothing of scripted is deployed, so there are no logs: ./deploy up starts it\n",
    ]);
  });
});
