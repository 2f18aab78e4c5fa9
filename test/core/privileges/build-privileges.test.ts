import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PrivilegeContext } from "../../../src/core/privileges/privilege.ts";
import { granted, host } from "../../support/granted.ts";

const during = ", during the image build";

/** What a build is granted, without the words that every line ends in. */
function built(build: Record<string, unknown>, secrets: Record<string, unknown> = {}, context = host): string[] {
  return granted({ build }, { secrets }, context).map((line) => line.replace(during, ""));
}

describe("an image build", () => {
  test.each<[what: string, build: Record<string, unknown>, expected: string[]]>([
    ["the project", { context: "/srv/demo", dockerfile: "Dockerfile" }, []],
    ["a folder of the project", { context: "/srv/demo/app", dockerfile: "../Dockerfile" }, []],
    ["a Dockerfile in the model", { context: "/srv/demo", dockerfile_inline: "FROM x\nRUN true" }, []],
    ["other images and services", { additional_contexts: { a: "docker-image://alpine", b: "service:db" } }, []],
    ["a folder beside the project", { context: "/srv/other" }, ["host-bind | /srv/other (ro)"]],
    ["everything", { context: "/" }, ["host-bind | / (ro) | host-files"]],
    ["the configuration of the host", { context: "/etc" }, ["host-bind | /etc (ro) | host-files"]],
    ["the home", { context: "/home/alice" }, ["host-bind | /home/alice (ro) | host-files"]],
    ["keys", { context: "/home/alice/.ssh" }, ["credential-directory | /home/alice/.ssh (ro) | host-files"]],
    [
      "keys under a name",
      {
        context: "/srv/demo",
        additional_contexts: { k: "/home/alice/.ssh", d: "/srv/demo/docs", r: "./docs", e: "docs" },
      },
      ["credential-directory | /home/alice/.ssh (ro) | host-files"],
    ],
    [
      "an image laid out in a folder",
      { additional_contexts: { b: "oci-layout:///opt/x@sha256:1" } },
      ["host-bind | /opt/x (ro)"],
    ],
    ["a folder of sockets, which no build can open", { context: "/run" }, ["host-bind | /run (ro)"]],
    [
      "a Dockerfile elsewhere",
      { context: "/srv/demo", dockerfile: "/opt/Dockerfile" },
      ["host-bind | /opt/Dockerfile (ro)"],
    ],
    [
      "a file with password hashes as Dockerfile",
      { context: "/srv/demo", dockerfile: "../../etc/shadow" },
      ["host-bind | /etc/shadow (ro) | host-files"],
    ],
    [
      "a Dockerfile in a context elsewhere",
      { context: "/opt/x", dockerfile: "Dockerfile" },
      ["host-bind | /opt/x (ro)"],
    ],
    [
      "code from elsewhere",
      { context: "https://u:hunter2@git.example.com/x.git?token=hunter2#main:sub" },
      ["remote-code | https://git.example.com/x.git#main:sub"],
    ],
    ["code by SSH", { context: "git@github.com:x/y.git" }, ["remote-code | github.com:x/y.git"]],
    ["code by the short name", { additional_contexts: { a: "github.com/x/y" } }, ["remote-code | github.com/x/y"]],
    [
      "code that is fetched by the builder",
      { context: "http://127.0.0.1/x.tgz" },
      ["remote-code | http://127.0.0.1/x.tgz"],
    ],
    ["a context that nobody can read", { context: "file:///etc" }, ["host-bind | file:///etc (ro) | host-files"]],
    ["the SSH agent", { ssh: ["default"] }, ["credential-directory | SSH agent | host-files"]],
    [
      "a key of the home",
      { ssh: ["k=/home/alice/.ssh/id_ed25519"] },
      ["credential-directory | /home/alice/.ssh/id_ed25519 (ro) | host-files"],
    ],
    ["a cache in the project", { cache_from: ["type=local,src=.cache"], cache_to: ["type=local,dest=.cache"] }, []],
    ["a cache in a registry", { cache_from: ["acme/app:cache"], cache_to: ["type=registry,ref=acme/app:cache"] }, []],
    [
      "a cache elsewhere",
      { cache_from: ["type=local,src=../x"], cache_to: ['"Type=local",mode=max,"dest=/etc/cron.d"'] },
      ["host-bind | /etc/cron.d (rw) | host-root", "host-bind | /srv/x (ro)"],
    ],
    [
      "caches in several spellings",
      { cache_to: ["dest=.cache,TYPE=local,dest=/opt/a", '" type = x",type=local,"dest=/opt/b,""c"""'] },
      ["host-bind | /opt/a (rw) | host-files", 'host-bind | /opt/b,""c"" (rw) | host-files'],
    ],
    ["the host's network", { network: "host" }, ["host-namespace | network: host | host-network"]],
    ["another's network", { network: "container:x" }, ["host-namespace | network: container:x | host-network"]],
    ["no network", { network: "none" }, []],
    ["privileges", { privileged: true }, ["host-program | privileged image build | host-root"]],
    [
      "entitlements",
      { entitlements: ["network.host", "security.insecure", "device"] },
      [
        "host-namespace | network: host | host-network",
        "host-program | image build with device | host-root",
        "host-program | privileged image build | host-root",
      ],
    ],
    ["names of the host", { extra_hosts: ["box=host-gateway"] }, []],
  ])("with %s holds exactly that", (_what, build, expected) => {
    expect(built(build)).toEqual(expected);
  });

  test.each<[what: string, secret: Record<string, unknown>, expected: string[]]>([
    ["a file of the project", { file: "/srv/demo/token" }, []],
    ["a file of the host", { file: "/etc/shadow" }, ["host-bind | /etc/shadow (ro) | host-files"]],
    ["a login", { file: "/home/alice/.npmrc" }, ["credential-directory | /home/alice/.npmrc (ro) | host-files"]],
    ["a kubeconfig", { file: "/opt/kubeconfig" }, ["kubeconfig | /opt/kubeconfig (ro)"]],
    ["a variable", { environment: "NPM_TOKEN" }, ["credential-directory | variable NPM_TOKEN"]],
  ])("with a secret that is %s holds exactly that", (_what, secret, expected) => {
    expect(built({ context: "/srv/demo", secrets: [{ source: "s", target: "t" }] }, { s: secret })).toEqual(expected);
  });

  test("from a symlink of the project reads what it leads to", () => {
    const context: PrivilegeContext = { ...host, realPaths: new Map([["/srv/demo/docs", "/home/alice/.aws"]]) };
    expect(built({ context: "/srv/demo/docs" }, {}, context)).toEqual([
      "credential-directory | /home/alice/.aws (ro) | host-files",
    ]);
  });

  test("from the tool's own checkout is no news", () => {
    expect(
      built({ context: "/opt/tool", dockerfile: "compose/Dockerfile" }, {}, { ...host, toolRoot: "/opt/tool" }),
    ).toEqual([]);
  });

  test("in a project that is a home still asks for the keys in it", () => {
    const context: PrivilegeContext = { projectRoot: "/home/alice", home: "/home/alice" };
    expect(built({ context: "/home/alice" }, {}, context)).toEqual(["host-bind | . (ro) | host-files"]);
    expect(built({ context: "/home/alice/app" }, {}, context)).toEqual([]);
  });

  test.each<[what: string, build: Record<string, unknown>]>([
    ["a template in its context", { context: '/srv/demo/${"\\u002e\\u002e/\\u002e\\u002e/etc"}' }],
    ["a template in a named context", { additional_contexts: { a: "/srv/demo/${x}" } }],
    ["a template in its Dockerfile", { context: "/srv/demo", dockerfile: "%{ if true }x%{ endif }" }],
    ["a template in its network", { network: '${"host"}' }],
    ["a template in an entitlement", { entitlements: ['${"security.insecure"}'] }],
    ["a template in a cache", { cache_to: ["type=local,dest=./${x}"] }],
    ["fields in a secret's file", { secrets: [{ source: "file" }] }],
    ["fields in a secret's variable", { secrets: [{ source: "variable" }] }],
    ["fields in a secret's name", { secrets: [{ source: "plain", target: "t,src=/etc/shadow" }] }],
    ["a quote in a secret's name", { secrets: [{ source: "plain", target: 't"' }] }],
    ["fields in a name for SSH", { ssh: ["default,x"] }],
  ])("asks for root where the builder takes a text apart: %s", (_what, build) => {
    const secrets = {
      file: { file: "/srv/demo/x,src=/etc/shadow" },
      variable: { environment: "HOME,env=,type=file" },
      plain: { file: "/srv/demo/x" },
    };
    expect(built(build, secrets)).toContainEqual(
      expect.stringMatching(/^host-program \| .*, which the image build takes apart \| host-root$/s),
    );
  });

  test("asks for any context outside the project that holds keys of somebody", () => {
    const keys = fc.constantFrom(".ssh", ".aws", ".kube", ".docker", ".gnupg", ".config/gcloud");
    fc.assert(
      fc.property(keys, fc.constantFrom("/root", "/home/bob", "/opt/agent"), (name, folder) => {
        expect(built({ context: `${folder}/${name}` })).toEqual([expect.stringMatching(/ \| host-files$/)]);
      }),
    );
  });
});
