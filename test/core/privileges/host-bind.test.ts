import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bindGrant } from "../../../src/core/privileges/host-bind.ts";
import { bind, granted, host } from "../../support/granted.ts";

const line = (kind: string, detail: string, consent: string) =>
  [kind, detail, ...(consent === "" ? [] : [consent])].join(" | ");

describe("a runtime socket", () => {
  test.each([
    ["/var/run/docker.sock", "/var/run/docker.sock"],
    ["/var/run//docker.sock", "/var/run/docker.sock"],
    ["/run/../run/docker.sock", "/var/run/docker.sock"],
    ["/proc/1/root/run/docker.sock", "/var/run/docker.sock"],
    ["/host_mnt/private/var/run/docker.sock", "/var/run/docker.sock"],
    ["//./pipe/docker_engine", "/pipe/docker_engine"],
    ["/srv/demo/docker-rootless.sock", "./docker-rootless.sock"],
    ["/home/alice/.docker/run/docker.sock", "/home/alice/.docker/run/docker.sock"],
    ["/run/podman/podman.sock", "/run/podman/podman.sock"],
    ["/run/containerd/containerd.sock", "/run/containerd/containerd.sock"],
    ["/run/crio/crio.sock", "/run/crio/crio.sock"],
    ["/run/buildkit/buildkitd.sock", "/run/buildkit/buildkitd.sock"],
    ["/run/user/1000/docker.sock", "/run/user/1000/docker.sock"],
    ["/var/lib/incus/unix.socket", "/var/lib/incus/unix.socket"],
  ])("at %s equals root on the host, read-only or not", (source, shown) => {
    expect(granted(bind(source))).toEqual([`runtime-socket | ${shown} (rw) | host-root`]);
    expect(granted(bind(source, true))).toEqual([`runtime-socket | ${shown} (ro) | host-root`]);
  });

  test.each([
    ["/", "/"],
    ["/run", "/run"],
    ["/var/run/", "/run"],
    ["/run/docker", "/run/docker"],
    ["/run/containerd/s", "/run/containerd/s"],
    ["/run/user", "/run/user"],
    ["/run/user/1000", "/run/user/1000"],
    ["/run/user/1000/podman", "/run/user/1000/podman"],
  ])("comes along with %s", (source, shown) => {
    expect(granted(bind(source))).toEqual([`runtime-socket | ${shown} (rw), holds runtime sockets | host-root`]);
    expect(granted(bind(source, true))).toEqual([`runtime-socket | ${shown} (ro), holds runtime sockets | host-root`]);
  });

  test("is found in any spelling of its path", () => {
    const separator = fc.constantFrom("/", "//", "/./", "/x/../", "/a/b/../../", "///.//");
    const spelling = fc.tuple(fc.boolean(), separator, separator, separator).map(([long, first, second, third]) => {
      return `${first}${long ? `var${second}` : ""}run${third}docker.sock`;
    });
    fc.assert(
      fc.property(spelling, fc.boolean(), (source, readOnly) => {
        expect(granted(bind(source, readOnly))).toEqual([
          `runtime-socket | /var/run/docker.sock (${readOnly ? "ro" : "rw"}) | host-root`,
        ]);
      }),
    );
  });

  test("is found behind a symlink that leads to it", () => {
    const realPaths = new Map([["/srv/demo/sock", "/var/run/docker.sock"]]);
    expect(granted(bind("/srv/demo/sock"), {}, { ...host, realPaths })).toEqual([
      "runtime-socket | /var/run/docker.sock (rw) | host-root",
    ]);
  });
});

describe("a bind", () => {
  test.each([
    ["host-bind", "/etc", "/etc", "host-root", "host-files"],
    ["host-bind", "/etc/cron.d", "/etc/cron.d", "host-root", ""],
    ["host-bind", "/etc/localtime", "/etc/localtime", "host-root", ""],
    ["host-bind", "/etc/shadow", "/etc/shadow", "host-root", "host-files"],
    ["host-bind", "/proc", "/proc", "host-root", "host-files"],
    ["host-bind", "/sys", "/sys", "host-root", ""],
    ["host-bind", "/boot", "/boot", "host-root", ""],
    ["host-bind", "/usr/local/bin", "/usr/local/bin", "host-root", ""],
    ["host-bind", "/dev", "/dev", "host-root", ""],
    ["host-bind", "/dev/shm", "/dev/shm", "host-files", ""],
    ["host-bind", "/var", "/var", "host-root", "host-files"],
    ["host-bind", "/var/lib/docker/volumes", "/var/lib/docker/volumes", "host-root", "host-files"],
    ["host-bind", "/root", "/root", "host-root", "host-files"],
    ["host-bind", "/home", "/home", "host-root", "host-files"],
    ["host-bind", "/home/alice", "/home/alice", "host-root", "host-files"],
    ["host-bind", "/home/bob", "/home/bob", "host-root", "host-files"],
    ["host-bind", "/run/systemd", "/run/systemd", "host-root", "host-root"],
    ["host-bind", "/var/run/dbus/system_bus_socket", "/run/dbus/system_bus_socket", "host-root", "host-root"],
    ["host-bind", "/run/systemd/resolve", "/run/systemd/resolve", "host-root", ""],
    ["host-bind", "/home/alice/data", "/home/alice/data", "host-files", ""],
    ["host-bind", "/mnt/disk", "/mnt/disk", "host-files", ""],
    ["host-bind", "/srv/demonstration", "/srv/demonstration", "host-files", ""],
    ["host-bind", "/srv", "/srv", "host-root", ""],
    ["host-bind", "/srv/demo", ".", "host-root", ""],
    ["host-bind", "/srv/demo/data", "./data", "", ""],
    ["host-bind", "/srv/demo/data/../../../mnt", "/mnt", "host-files", ""],
    ["host-bind", "/srv/demo/.deploy/receipt.json", "./.deploy/receipt.json", "host-root", ""],
    ["host-bind", "/srv/demo/deploy.config.yaml", "./deploy.config.yaml", "host-root", ""],
    ["host-bind", "/srv/demo/.env", "./.env", "host-root", ""],
    ["host-bind", "/srv/demo/.claude", "./.claude", "", ""],
    ["credential-directory", "/home/alice/.ssh", "/home/alice/.ssh", "host-root", "host-files"],
    ["credential-directory", "/home/bob/.aws/credentials", "/home/bob/.aws/credentials", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.docker", "/home/alice/.docker", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.gnupg", "/home/alice/.gnupg", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.netrc", "/home/alice/.netrc", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.config", "/home/alice/.config", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.config/gcloud", "/home/alice/.config/gcloud", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.claude", "/home/alice/.claude", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.codex/auth.json", "/home/alice/.codex/auth.json", "host-files", ""],
    ["credential-directory", "/tmp/ssh-k3Vq/agent.42", "/tmp/ssh-k3Vq/agent.42", "host-files", "host-files"],
    ["credential-directory", "/home/alice/.kube", "/home/alice/.kube", "host-files", "host-files"],
    ["kubeconfig", "/home/alice/.kube/config", "/home/alice/.kube/config", "host-files", ""],
    ["kubeconfig", "/srv/demo/prod.kubeconfig", "./prod.kubeconfig", "", ""],
    ["kubeconfig", "/etc/kubernetes/admin.conf", "/etc/kubernetes/admin.conf", "host-root", "host-files"],
  ])("is a %s at %s, and consent follows from what it lets do", (kind, source, shown, writable, readOnly) => {
    expect(granted(bind(source))).toEqual([line(kind, `${shown} (rw)`, writable)]);
    expect(granted(bind(source, true))).toEqual([line(kind, `${shown} (ro)`, readOnly)]);
  });

  test("is a kubeconfig where KUBECONFIG or the target says so", () => {
    const variable = { environment: { KUBECONFIG: "/else:/k/config" } };
    expect(granted({ ...bind("/srv/demo/c", true, "/k"), ...variable })).toEqual(["kubeconfig | ./c (ro)"]);
    expect(granted({ ...bind("/srv/demo/c", true, "/kk"), ...variable })).toEqual(["host-bind | ./c (ro)"]);
    expect(granted(bind("/srv/demo/c", true, "/root/.kube/config"))).toEqual(["kubeconfig | ./c (ro)"]);
  });

  test.each([
    ["/etc/demo", "/etc/demo/data", "host-bind | ./data (rw)"],
    ["/etc/demo", "/etc/other", "host-bind | /etc/other (rw) | host-root"],
    ["/root/demo", "/root/demo/data", "host-bind | ./data (rw)"],
    ["/home/alice", "/home/alice/.ssh", "credential-directory | ./.ssh (rw) | host-root"],
    ["/home/alice/.config/demo", "/home/alice/.config/demo/data", "host-bind | ./data (rw)"],
    ["/", "/etc", "host-bind | /etc (rw) | host-root"],
  ])("of a project at %s is judged at %s on its own merits", (projectRoot, source, expected) => {
    expect(granted(bind(source), {}, { ...host, projectRoot })).toEqual([expected]);
  });

  test("that is writable and outside the project always needs consent", () => {
    const name = fc.stringMatching(/^[a-z.][a-z0-9._-]{0,8}$/).filter((part) => part !== "." && part !== "..");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
    fc.assert(
      fc.property(path, (source) => {
        fc.pre(!`${source}/`.startsWith("/srv/demo/"));
        expect(granted(bind(source))).toEqual([expect.stringMatching(/ \| host-(root|files)$/)]);
      }),
    );
  });
});

test.each([
  ["/opt/tool/dist", "host-root"],
  ["/opt/tool/src/core", "host-root"],
  ["/opt/tool", "host-root"],
  ["/opt/tool/data", undefined],
])("a writable bind of %s of the tool's own checkout reaches as far as what runs there next: %s", (source, consent) => {
  const context = { projectRoot: "/opt/tool", home: "/home/op", toolRoot: "/opt/tool" };
  expect(bindGrant({ source, target: "/x", writable: true }, context)?.consent).toBe(consent);
});
