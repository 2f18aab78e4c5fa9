import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, parseDocument, stringify } from "yaml";
import { parseConfig } from "../../../src/core/config/config.ts";
import { detectMode } from "../../../src/core/detect/detect.ts";
import { modes } from "../../../src/core/detect/mode.ts";
import { envValues, parseEnvFile } from "../../../src/core/env/env-file.ts";
import { completeAnswers } from "../../../src/core/setup/answers.ts";
import { fileChanges, type Ground, type OperatorFile } from "../../../src/core/setup/file-changes.ts";
import { lineDiff } from "../../../src/core/setup/line-diff.ts";
import { platformInMode } from "../../../src/core/setup/platform-edit.ts";
import { settingsOf } from "../../../src/core/setup/settings.ts";
import { shownChange, summaryText } from "../../../src/core/setup/summary.ts";
import { editYaml } from "../../../src/core/setup/yaml-edit.ts";
import { emptyFolder } from "./empty-folder.ts";

const root = join(import.meta.dirname, "../../..");
const shipped = (path: string) => readFileSync(join(root, path), "utf8");
const template = shipped("templates/config.yaml");
const reference = shipped("deploy.config.yaml");

const file = (name: string, text: string | undefined, from?: string): OperatorFile => ({
  ...{ name, path: `/here/${name}`, text, mode: 0o600 },
  template: from === undefined ? undefined : { name: from, text: shipped(from) },
});

const ground: Ground = {
  config: file("deploy.config.yaml", reference),
  platform: file("config.yaml", undefined, "templates/config.yaml"),
  env: file(".env", undefined, "templates/env"),
  deerFlow: true,
  forced: false,
  exported: new Map(),
};

const usual = { mode: "local", exposure: "machine", port: "2026", memory: "1g", cpus: "1" };
const inAio = {
  mode: "aio",
  exposure: "machine",
  port: "2026",
  memory: "512m",
  cpus: "1",
  pids: "128",
  sandboxes: "10",
};

function changesOf(answers: object, on: Ground = ground, found = emptyFolder) {
  const outcome = fileChanges(answers, found, on);
  if (!outcome.ok) throw new Error(outcome.findings.map(({ message }) => message).join("; "));
  return outcome.value;
}

const shownOf = (answers: object, on?: Ground, found?: typeof emptyFolder) =>
  changesOf(answers, on, found).map((change) => shownChange(change, []));

function modeIn(text: string): string | undefined {
  const detected = detectMode({ rules: "deer-flow", config: { file: "config.yaml", text }, environment: undefined });
  return detected.ok ? detected.value.mode : undefined;
}

describe("the files that answers make", () => {
  test("are the templates where every answer is the usual one", () => {
    expect(shownOf(usual)).toEqual([
      { file: "config.yaml", change: "create", lines: [] },
      { file: ".env", change: "create", lines: [] },
    ]);
  });

  test("hold a variable where the template shows it, and nothing that is the default anyway", () => {
    expect(shownOf({ ...usual, exposure: "network", address: "192.168.1.10", port: "80" })[1]?.lines).toEqual([
      "- #BIND_HOST=127.0.0.1",
      "- #PORT=2026",
      "+ BIND_HOST='192.168.1.10'",
      "+ PORT=80",
    ]);
  });

  test("raise the guard's policy with what sandboxes may use, and leave room for no more runs than sandboxes", () => {
    const [config, , env] = shownOf({ ...inAio, memory: "2g", cpus: "0.5", sandboxes: "3" });
    expect(config?.lines).toEqual([
      "+       limits:",
      "+         memory: 2g",
      "+       sandboxes:",
      "+         alive: 3",
    ]);
    expect(env?.lines.filter((line) => line.startsWith("+"))).toEqual([
      "+ SANDBOX_MEMORY=2g",
      "+ SANDBOX_CPUS='0.5'",
      "+ RUN_CONCURRENCY_MAX=3",
    ]);
  });

  test("change the configuration of the platform and, where it is forced, the mode as well", () => {
    const config = file("deploy.config.yaml", "version: 1\nsandbox: { mode: local } # ours\n");
    const [changed, platform] = changesOf(inAio, { ...ground, config, forced: true });
    expect(changed?.after).toBe("version: 1\nsandbox: { mode: aio } # ours\n");
    expect(modeIn(platform?.after ?? "")).toBe("aio");
  });

  test("publish a domain, and take that back again", () => {
    const domain = {
      ...usual,
      exposure: "domain",
      domain: "agents.example.org",
      tls: "files",
      certificate: "c.pem",
      "certificate-key": "k.pem",
    };
    const [published] = changesOf(domain);
    const read = parseConfig({ file: "", text: published?.after ?? "" });
    expect(read).toMatchObject({
      value: {
        config: {
          public: { tls: "files", domain: "agents.example.org", files: { certificate: "c.pem", key: "k.pem" } },
        },
      },
    });
    const reach = {
      tls: "files",
      domain: "agents.example.org",
      email: undefined,
      certificate: "c.pem",
      certificateKey: "k.pem",
    };
    const config = file("deploy.config.yaml", published?.after);
    const [back] = changesOf(usual, { ...ground, config }, { ...emptyFolder, reach });
    const { public: now } = parse(back?.after ?? "");
    expect(now).toMatchObject({ tls: "off", files: { certificate: "c.pem" } });
    expect(now).not.toHaveProperty("domain");
  });

  test("listen for a domain on one address, or on all of both versions where none is named", () => {
    const domain = { ...usual, exposure: "domain", domain: "agents.example.org", tls: "internal" };
    const hostIn = (address: string, present?: string) => {
      const env = new Map([
        ...emptyFolder.env,
        ...(present === undefined ? [] : [["TLS_BIND_HOST", present] as const]),
      ]);
      return settingsOf({ ...domain, address }, { ...emptyFolder, env }).env.get("TLS_BIND_HOST");
    };
    expect([hostIn("0.0.0.0"), hostIn("192.168.1.10"), hostIn("fd00::5"), hostIn("127.0.0.1")]).toEqual([
      ...[undefined, "192.168.1.10", "[fd00::5]", "127.0.0.1"],
    ]);
    expect([hostIn("0.0.0.0", "192.168.1.10"), hostIn("0.0.0.0", "0.0.0.0"), hostIn("fd00::5", "[fd00::5]")]).toEqual([
      ...["", undefined, undefined],
    ]);
    const usualFor = (present: string) =>
      completeAnswers(
        new Map([["exposure", { value: "domain", source: "" }]]),
        {
          ...emptyFolder,
          env: new Map([["TLS_BIND_HOST", present]]),
          reach: { ...emptyFolder.reach, domain: "a.example" },
        },
        true,
      ).answers.address;
    expect([usualFor(""), usualFor("[fd00::5]")]).toEqual(["0.0.0.0", "fd00::5"]);
  });

  test("tell the authority an address to write to, or none", () => {
    const domain = { ...usual, exposure: "domain", domain: "agents.example.org", tls: "acme" };
    const emailAfter = (answers: object, email?: string) => {
      const reach = { ...emptyFolder.reach, email };
      const config = file(
        "deploy.config.yaml",
        email ? `version: 1\npublic:\n  acme:\n    email: ${email}\n` : reference,
      );
      const [changed] = changesOf(answers, { ...ground, config }, { ...emptyFolder, reach });
      const read = parseConfig({ file: "", text: changed?.after ?? "" });
      if (!read.ok) throw new Error("the configuration is not one");
      return read.value.config.public.acme.email;
    };
    expect(emailAfter({ ...domain, "acme-email": "ops@example.org" })).toBe("ops@example.org");
    expect(emailAfter({ ...domain, "acme-email": "none" })).toBeUndefined();
    expect(emailAfter({ ...domain, "acme-email": "none" }, "ops@example.org")).toBeUndefined();
    expect(emailAfter({ ...domain, tls: "internal" }, "ops@example.org")).toBe("ops@example.org");
  });

  test("lend logins, with a token in the environment file that is not shown", () => {
    const secrets = new Map([["CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-0123456789"]]);
    const outcome = fileChanges({ ...usual, claude: "env", codex: "file" }, emptyFolder, ground, secrets);
    if (!outcome.ok) throw new Error("the files cannot be made");
    const [config, , env] = outcome.value;
    expect(parse(config?.after ?? "").credentials).toMatchObject({ claude: "env", codex: "file" });
    expect(env?.after).toContain("CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-0123456789\n");
    expect(summaryText(usual, outcome.value, [...secrets.keys()])).not.toContain("0123456789");
  });

  test("force the mode of a platform whose configuration has another form, and leave that file alone", () => {
    const platform = file("settings.yaml", "runtime: 1\n");
    const config = file("deploy.config.yaml", "version: 1\n");
    const changes = changesOf({ mode: "aio" }, { ...ground, config, platform, deerFlow: false, env: file(".env", "") });
    expect(changes.map(({ name, after }) => `${name} ${after}`)).toEqual([
      "deploy.config.yaml version: 1\nsandbox:\n  mode: aio\n",
    ]);
  });

  test("are none the second time", () => {
    const [config, platform, env] = changesOf({ ...inAio, memory: "2g", port: "81" });
    const written = {
      config: file("deploy.config.yaml", config?.after),
      platform: file("config.yaml", platform?.after),
    };
    const variables = parseEnvFile({ file: ".env", text: env?.after ?? "" }, new Map());
    if (!variables.ok) throw new Error("the environment file cannot be read");
    const guard = { memory: "2g", cpus: "1", pids: "128", alive: "10" };
    const found = {
      ...emptyFolder,
      mode: "aio" as const,
      guard,
      env: new Map([...emptyFolder.env, ...envValues(variables.value)]),
    };
    expect(
      changesOf(
        { ...inAio, memory: "2g", port: "81" },
        { ...ground, ...written, env: file(".env", env?.after) },
        found,
      ),
    ).toEqual([]);
  });

  test("keep every byte of an environment file but for what was answered", () => {
    const mine = "# mine\r\nexport PORT = '90' # web\r\nOTHER=${PORT}x\r\n";
    const [change] = changesOf(
      { ...usual, port: "91" },
      { ...ground, platform: file("config.yaml", template), env: file(".env", mine.replace("${PORT}x", "x")) },
    );
    expect(change?.after).toBe(mine.replace("${PORT}x", "x").replace("'90'", "'91'"));
  });

  test("say what to write by hand where nothing else is certain", () => {
    const config = file(
      "deploy.config.yaml",
      "version: 1\nsandbox: &s { docker: { guard: { preset: default } } }\nx: *s\n",
    );
    const outcome = fileChanges({ ...inAio, sandboxes: "3" }, emptyFolder, { ...ground, config });
    expect(outcome.findings).toMatchObject([
      { code: "D183", fix: expect.stringContaining("sandbox.docker.guard.sandboxes.alive: 3") },
    ]);
  });

  test("are shown without the values of secrets", () => {
    const change = { ...file(".env", "TOKEN=old\n"), after: "TOKEN=new\n" };
    expect(summaryText(usual, [change], ["TOKEN"])).not.toMatch(/old|new/);
  });
});

describe("the platform's configuration in another mode", () => {
  test.each(modes.flatMap((from) => modes.map((to) => [from, to] as const)))(
    "from %s to %s is the template with that block on, and back again to the letter",
    (from, to) => {
      const before = platformInMode(template, from) ?? "";
      const after = platformInMode(before, to) ?? "";
      expect([modeIn(before), modeIn(after)]).toEqual([from, to]);
      expect(platformInMode(after, "local")).toBe(template);
      expect(after.split("\n").length).toBe(template.split("\n").length);
    },
  );

  test.each(modes.flatMap((from) => modes.map((to) => [from, to] as const)))(
    "from %s to %s keeps comments and other keys of a file that is the operator's own",
    (from, to) => {
      const own = {
        local: "  use: deerflow.sandbox.local:LocalSandboxProvider",
        aio: "  use: deerflow.community.aio_sandbox:AioSandboxProvider\n  port: 8080   # ours",
        provisioner:
          "  use: deerflow.community.aio_sandbox:AioSandboxProvider\n  provisioner_url: http://elsewhere:1 # theirs\n  provisioner_api_key: $KEY",
      };
      const text = `# head\nmodels:\n  - name: gpt   # first\n\nsandbox:\n${own[from]}\n\n# the rest\ntools: { a: 1 }\n`;
      const after = platformInMode(text, to) ?? "";
      expect(modeIn(after)).toBe(to);
      for (const kept of ["# head", "  - name: gpt   # first", "# the rest", "tools: { a: 1 }"])
        expect(after).toContain(kept);
    },
  );
});

describe("an edit of YAML", () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const leaf = fc.constantFrom<unknown>(1, "x", true, "a: b", "# no");
  const branch = (inner: fc.Arbitrary<unknown>) => fc.dictionary(key, inner, { minKeys: 1 });
  const tree = branch(fc.oneof(leaf, branch(fc.oneof(leaf, branch(leaf)))));
  const place = fc.array(key, { minLength: 1, maxLength: 3 });

  test("says exactly what was asked for, or is refused", () => {
    fc.assert(
      fc.property(
        tree,
        place,
        fc.option(fc.constantFrom("new", 5), { nil: undefined }),
        fc.boolean(),
        (data, path, value, flow) => {
          const document = parseDocument(stringify(data, { collectionStyle: flow ? "flow" : "block" }));
          const text = `# head\n${document.toString()}# tail\n`;
          const edited = editYaml(text, [{ path, value }]);
          if (edited === undefined) return;
          expect(edited).toContain("# head");
          expect(edited).toContain("# tail");
          const wanted = parseDocument(text);
          if (value !== undefined) wanted.setIn(path, value);
          else if (wanted.hasIn(path)) wanted.deleteIn(path);
          expect(parse(edited) ?? {}).toEqual(wanted.toJS());
        },
      ),
    );
  });

  test("changes only the lines that it has to in the configuration that is shipped", () => {
    const edited = editYaml(reference, [
      { path: ["sandbox", "mode"], value: "aio" },
      { path: ["sandbox", "docker", "guard", "limits", "memory"], value: "2g" },
    ]);
    expect(lineDiff(reference, edited ?? "").map(({ change, text }) => `${change} ${text}`)).toEqual([
      "removed   mode: auto",
      "added   mode: aio",
      "added       limits:",
      "added         memory: 2g",
    ]);
    expect(parseConfig({ file: "", text: edited ?? "" }).ok).toBe(true);
  });
});

describe("a difference of lines", () => {
  test("leads from one text to the other", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const changes = lineDiff(left.join("\n"), right.join("\n"));
        const removed = new Set(changes.flatMap(({ change, line }) => (change === "removed" ? [line] : [])));
        const added = new Map(changes.flatMap(({ change, line, text }) => (change === "added" ? [[line, text]] : [])));
        const rest = left.join("\n") === "" ? [] : left.join("\n").replace(/\n$/, "").split("\n");
        const kept = rest.filter((_, index) => !removed.has(index + 1));
        const result: string[] = [];
        while (kept.length > 0 || added.has(result.length + 1))
          result.push(added.get(result.length + 1) ?? kept.shift() ?? "");
        expect(result.join("\n")).toBe(right.join("\n").replace(/\n$/, ""));
      }),
    );
  });
});
