import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modes } from "../../../src/core/detect/mode.ts";
import {
  composeFiles,
  excludedServices,
  folderOf,
  joinPath,
  localImageVariables,
  relativePath,
  resolvePath,
  territoryOf,
} from "../../../src/core/stack/stack.ts";
import { configOf } from "../plan/plan-facts.ts";

const path = fc
  .array(fc.constantFrom("a", "b c", "..", ".", "", "~", "...", "-"), { maxLength: 8 })
  .map((parts) => parts.join("/"));

describe("a path of the configuration", () => {
  test.each([
    ["config.yaml", "/srv/demo/config.yaml"],
    ["./config.yaml", "/srv/demo/config.yaml"],
    ["../other//config.yaml", "/srv/other/config.yaml"],
    ["../../../../etc/passwd", "/etc/passwd"],
    ["", "/srv/demo"],
    ["/etc//x/../y/", "/etc/y"],
    ["~", "/home/alice"],
    ["~/.kube/config", "/home/alice/.kube/config"],
    ["~//.kube/./config", "/home/alice/.kube/config"],
    ["~bob/config", "/srv/demo/~bob/config"],
    ["a/~/b", "/srv/demo/a/~/b"],
  ])("%j leads to %s", (given, expected) => {
    expect(resolvePath("/srv/demo", "/home/alice", given)).toBe(expected);
  });

  test("never leads above the root, and is absolute and free of empty and dotted parts", () => {
    fc.assert(
      fc.property(path, path, (base, given) => {
        const joined = joinPath(base, given);
        expect(joined.startsWith("/")).toBe(true);
        const parts = joined.slice(1).split("/");
        if (joined !== "/") expect(parts.filter((part) => ["", ".", ".."].includes(part))).toEqual([]);
      }),
    );
  });

  test("stays as it is when it is resolved again", () => {
    fc.assert(
      fc.property(path, (given) => {
        const once = resolvePath("/srv/demo", "/home/alice", given);
        expect(resolvePath("/elsewhere", "/nowhere", once)).toBe(once);
      }),
    );
  });

  test("that is shown from a folder leads back to itself", () => {
    fc.assert(
      fc.property(path, path, (base, given) => {
        const [root, full] = [joinPath("/", base), joinPath("/", given)];
        expect(resolvePath(root, "/home/alice", relativePath(root, full).replace(/^~/, "./~"))).toBe(full);
      }),
    );
  });
});

test.each([
  ["/srv/demo", "/srv/demo/a/b", "a/b"],
  ["/srv/demo", "/srv/demolition/a", "/srv/demolition/a"],
  ["/srv/demo", "/srv/demo", "/srv/demo"],
  ["/", "/etc/x", "etc/x"],
])("seen from %s, %s is %s", (root, full, expected) => {
  expect(relativePath(root, full)).toBe(expected);
});

test.each([
  ["/srv/demo/deploy.config.yaml", "/srv/demo"],
  ["/deploy.config.yaml", "/"],
  ["/", "/"],
])("the folder of %s is %s", (file, expected) => {
  expect(folderOf(file)).toBe(expected);
});

describe("the operator's files", () => {
  const config = configOf({ compose: { envFile: "secret.env" }, sandbox: { kubeconfig: "kube.yaml" } });

  test("lie around the configuration, wherever that is", () => {
    expect(territoryOf(config, "/srv/demo/deploy.config.yaml", "/home/alice")).toEqual({
      root: "/srv/demo",
      configPath: "/srv/demo/deploy.config.yaml",
      envPath: "/srv/demo/secret.env",
      platformConfigPath: "/srv/demo/config.yaml",
      statePath: "/srv/demo/.deploy",
      secretsPath: "/srv/demo/.deploy/secrets",
      guardPolicyPath: "/srv/demo/.deploy/guard/policy.yaml",
      kubeconfigPath: "/srv/demo/kube.yaml",
      socketPath: "/var/run/docker.sock",
    });
  });

  test("include the environment file that a flag names instead", () => {
    expect(territoryOf(config, "/srv/demo/deploy.config.yaml", "/home/alice", "/etc/env").envPath).toBe("/etc/env");
  });
});

describe("the Compose files", () => {
  const shipped = {
    local: ["/opt/tool/compose/docker-compose.yaml"],
    aio: ["/opt/tool/compose/docker-compose.yaml", "/opt/tool/compose/docker-compose.dood.yaml"],
    provisioner: ["/opt/tool/compose/docker-compose.yaml", "/opt/tool/compose/docker-compose.provisioner.yaml"],
  };
  const base = ["/opt/tool/compose/docker-compose.yaml"];

  function files(mode: (typeof modes)[number], compose: Record<string, unknown>): string[] {
    const config = configOf({ compose });
    const territory = territoryOf(config, "/srv/demo/deploy.config.yaml", "/home/alice");
    return composeFiles(config, mode, territory, "/opt/tool", "/home/alice");
  }

  test.each(modes)("of the default stack in %s mode are those of the tool", (mode) => {
    expect(files(mode, {})).toEqual(shipped[mode]);
  });

  test.each(modes)("of the default stack in %s mode end with the operator's overlays for every mode", (mode) => {
    expect(files(mode, { overlays: { always: ["a.yaml", "~/b.yaml"] } })).toEqual([
      ...shipped[mode],
      "/srv/demo/a.yaml",
      "/home/alice/b.yaml",
    ]);
  });

  test.each(modes)(
    "of the default stack in %s mode take the operator's overlays for it instead of the tool's",
    (mode) => {
      expect(files(mode, { overlays: { [mode]: ["own.yaml"] } })).toEqual([...base, "/srv/demo/own.yaml"]);
      expect(files(mode, { overlays: { [mode]: [] } })).toEqual(base);
    },
  );

  test.each(modes)("of a vendor's base in %s mode hold nothing of the tool", (mode) => {
    expect(files(mode, { base: "docker/compose.yaml" })).toEqual(["/srv/demo/docker/compose.yaml"]);
    const overlays = { always: ["all.yaml"], local: ["l.yaml"], aio: ["s.yaml"], provisioner: ["p.yaml"] };
    expect(files(mode, { base: "/etc/c.yaml", overlays })).toEqual([
      "/etc/c.yaml",
      `/srv/demo/${overlays[mode][0]}`,
      "/srv/demo/all.yaml",
    ]);
  });
});

describe("services of another mode", () => {
  const config = configOf({
    compose: { onlyIn: { aio: ["guard", "shared"], provisioner: ["provisioner", "shared"] } },
  });

  test.each([
    ["local", ["guard", "shared", "provisioner", "shared"]],
    ["aio", ["provisioner"]],
    ["provisioner", ["guard"]],
  ] as const)("in %s mode are excluded, except those that it shares", (mode, expected) => {
    expect(excludedServices(config, mode)).toEqual(expected);
  });

  test("are none where the configuration names none", () => {
    expect(modes.flatMap((mode) => excludedServices(configOf(), mode))).toEqual([]);
  });
});

test("images that are made locally carry the version and their origin in the name", () => {
  expect(localImageVariables("1.2.3")).toEqual({
    GATEWAY_IMAGE: "sandbox-deploy/gateway:1.2.3-local",
    GUARD_IMAGE: "sandbox-deploy/guard:1.2.3-local",
    PROXY_IMAGE: "sandbox-deploy/proxy:1.2.3-local",
    STORE_IMAGE: "sandbox-deploy/store:1.2.3-local",
    SANDBOX_IMAGE: "sandbox-deploy/sandbox:1.2.3-local",
  });
});
