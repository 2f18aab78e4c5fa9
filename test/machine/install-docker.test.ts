import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { repositoryRoot } from "../support/stack.ts";

/** What the script may find of a shell's tools; package managers, docker and downloaders are what a test puts there. */
const tools =
  "awk cat chmod chown cut date dirname find fold grep head install mkdir mktemp rm sed setsid sleep sort tail timeout tr";
const debKey = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";
const rpmKey = "060A61C51B558A7F742B77AAC52FEB6B621E9F35";

let root: string;
let bin: string;

const at = (path: string) => join(root, path);

async function program(name: string, ...lines: string[]): Promise<void> {
  await writeFile(join(bin, name), ["#!/bin/sh", ...lines, ""].join("\n"));
  await chmod(join(bin, name), 0o755);
}

/** A machine of this distribution with nothing on it, where all that changes something is only noted. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "install-docker-"));
  bin = at("bin");
  await Promise.all(
    ["bin", "etc/ssl/certs", "etc/apt/sources.list.d", "usr/sbin"].map((path) => mkdir(at(path), { recursive: true })),
  );
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of tools.split(" ")) {
    const path = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
    if (path !== undefined) await symlink(path, join(bin, name));
  }
  await writeFile(at("etc/ssl/certs/ca-certificates.crt"), "certificates\n");
  await program("id", '[ "$1" != _apt ] || exit 1', '[ "$1" = -u ] && echo "${FAKE_UID:-0}" || echo root');
  await program("uname", 'case $1 in -s) echo "${FAKE_SYSTEM:-Linux}" ;; *) echo "${FAKE_KERNEL:-6.1.0}" ;; esac');
  await program("getent", "exit 0");
  await program("dpkg", "echo amd64");
  await program("dpkg-query", "exit 1");
  await program("rpm", "exit 1");
  // Installing the packages brings a docker that answers.
  const installs = [
    `echo "\${0##*/} $*" >>'${at("log")}'`,
    'case " $* " in *" install "*docker*)',
    `  printf '%s\\n' '#!/bin/sh' 'case "$*" in *version*) echo 2.40.3 ;; esac' >'${bin}/docker'`,
    `  chmod 755 "${bin}/docker"; cat "${bin}/docker" >"${bin}/dockerd"; chmod 755 "${bin}/dockerd" ;;`,
    "esac",
  ];
  await program("apt-get", ...installs);
  await program("dnf", ...installs);
  await program("apt-cache", "exit 0");
});

afterEach(() => rm(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

async function run(release: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  await mkdir(dirname(at("etc/os-release")), { recursive: true });
  await writeFile(at("etc/os-release"), `${release}\n`);
  const script = join(repositoryRoot, "scripts/install-docker.sh");
  const { status, stderr, stdout } = spawnSync("/bin/sh", [script, ...args], {
    encoding: "utf8",
    input: "",
    env: { PATH: bin, INSTALL_DOCKER_ROOT: root, ...env },
  });
  expect(stdout).toBe("");
  return { code: status, said: stderr };
}

/** A downloader that gets `text` from wherever it is sent. */
async function repositoryAnswers(text = "key"): Promise<void> {
  await program(
    "curl",
    `while [ $# -gt 1 ]; do [ "$1" != -o ] || echo '${text}' >"$2"; shift; done`,
    `echo "$1" >>'${at("urls")}'`,
  );
}

async function gpgFinds(...fingerprints: string[]): Promise<void> {
  const keys = fingerprints.flatMap((each) => [
    "pub:-:4096:1::1:::-:",
    `fpr:::::::::${each}:`,
    "sub:-:1:",
    "fpr:::::::::FF:",
  ]);
  await program("gpg", `printf '%s\\n' ${keys.map((key) => `'${key}'`).join(" ")}`);
}

const log = async () => (existsSync(at("log")) ? (await readFile(at("log"), "utf8")).trimEnd().split("\n") : []);
const installsOf = async () => (await log()).filter((line) => / install /.test(line));

const bookworm = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"';
const fedora = 'ID=fedora\nVERSION_ID=42\nPRETTY_NAME="Fedora Linux 42"';

describe("the plan for a distribution", () => {
  test.each([
    ["Debian 12", bookworm, "debian", debKey],
    ["Debian 13", "ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie", "debian", debKey],
    ["Ubuntu", "ID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\nVERSION_CODENAME=noble", "ubuntu", debKey],
    ["Mint", 'ID=linuxmint\nID_LIKE="ubuntu debian"\nUBUNTU_CODENAME=noble\nVERSION_CODENAME=xia', "ubuntu", debKey],
    ["Mint on Debian", "ID=linuxmint\nID_LIKE=debian\nDEBIAN_CODENAME=bookworm", "debian", debKey],
    ["Fedora", fedora, "fedora", rpmKey],
    ["RHEL", 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"', "rhel", rpmKey],
    ["Rocky", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"', "centos", rpmKey],
    ["Oracle", 'ID="ol"\nID_LIKE="fedora"\nVERSION_ID="9.4"', "centos", rpmKey],
  ])(
    "%s is Docker's repository where it answers, its key named by fingerprint",
    async (_name, release, channel, key) => {
      await repositoryAnswers();
      const { code, said } = await run(release, ["--dry-run"]);
      expect(code).toBe(0);
      expect(said).toContain(`add Docker's package repository: https://download.docker.com/linux/${channel}\n`);
      expect(said).toContain(key);
      expect(said.replaceAll(/\s+/g, " ")).toContain(
        "install docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin",
      );
      expect(await log()).toEqual([]);
    },
  );

  test.each([
    [
      "that Docker does not know",
      "ID=kali\nID_LIKE=debian\nVERSION_CODENAME=kali-rolling",
      "Docker publishes none for this release",
    ],
    [
      "for 32-bit Raspberry Pi OS",
      "ID=raspbian\nID_LIKE=debian\nVERSION_CODENAME=bookworm",
      "Docker publishes none for this release",
    ],
  ])("%s is its own packages", async (_name, release, why) => {
    await repositoryAnswers();
    const { code, said } = await run(release, ["--dry-run"]);
    expect(code).toBe(0);
    expect(said).toContain(`not from Docker's own repository:\n    ${why}\n`);
    expect(said).toContain("apt install docker.io");
  });

  test("without a way to that host is the distribution's packages, and says why", async () => {
    await program("getent", "exit 2");
    const debian = await run(bookworm, ["--dry-run"]);
    expect(debian.said).toContain("download.docker.com cannot be reached: its name is not known");
    expect(debian.said).toContain("apt install docker.io");
    expect((await run(fedora, ["--dry-run"])).said).toContain(
      "dnf install moby-engine docker-cli docker-buildx docker-compose",
    );
  });

  test("without certificates names both ways, since only with them can be told which", async () => {
    await rm(at("etc/ssl/certs/ca-certificates.crt"));
    const { said } = await run(bookworm, ["--dry-run"]);
    expect(said).toContain("look whether Docker's own repository answers");
    expect(said).toContain("apt install docker-ce");
    expect(said).toContain("apt install docker.io");
  });

  test.each([
    ["macOS", { FAKE_SYSTEM: "Darwin" }, "", ["Docker Desktop", "colima"]],
    ["WSL", { FAKE_KERNEL: "5.15.0-microsoft-standard-WSL2" }, bookworm, ["WSL integration", "systemd=true"]],
    ["Amazon Linux", {}, 'ID="amzn"\nID_LIKE="fedora"', ["dnf install docker"]],
    ["Arch", {}, "ID=arch", ["pacman -S docker docker-compose docker-buildx"]],
    ["Alpine", {}, "ID=alpine", ["apk add docker"]],
    ["another one", {}, "ID=plan9", ["https://docs.docker.com/engine/install/"]],
  ])("%s is only advice, with exit 4", async (_name, env, release, words) => {
    const { code, said } = await run(release, ["--yes"], env);
    expect(code).toBe(4);
    for (const word of words) expect(said).toContain(word);
    expect(await log()).toEqual([]);
  });
});

describe("an installation", () => {
  test("from Docker's repository writes its key and source, and installs all of it without removing anything", async () => {
    await repositoryAnswers();
    await gpgFinds(debKey);
    const { code, said } = await run(bookworm, ["--yes"]);
    expect(`${code} ${said}`).toMatch(/^0 /);
    expect(await readFile(at("etc/apt/keyrings/docker.asc"), "utf8")).toBe("key\n");
    expect(await readFile(at("etc/apt/sources.list.d/docker.sources"), "utf8")).toBe(
      "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\nComponents: stable\nArchitectures: amd64\nSigned-By: /etc/apt/keyrings/docker.asc\n",
    );
    const [install, ...others] = await installsOf();
    expect(others).toEqual([]);
    expect(install).toContain("--no-remove --fix-broken install docker-ce docker-ce-cli containerd.io");
  });

  test("on Fedora has packages checked against the key that was compared", async () => {
    await repositoryAnswers();
    await gpgFinds(rpmKey);
    expect((await run(fedora, ["--yes"])).code).toBe(0);
    expect(await readFile(at("etc/yum.repos.d/docker-ce.repo"), "utf8")).toContain(
      "baseurl=https://download.docker.com/linux/fedora/42/$basearch/stable\nenabled=1\ngpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/docker-ce.asc\n",
    );
  });

  test.each([
    ["another key", ["0000000000000000000000000000000000000000"]],
    ["Docker's key and another one", [debKey, "0000000000000000000000000000000000000000"]],
    ["no key", []],
  ])(
    "where the repository has %s stops, uses nothing of it, and does not go on in another way",
    async (_case, keys) => {
      await repositoryAnswers();
      await gpgFinds(...keys);
      const { code, said } = await run(bookworm, ["--yes"]);
      expect(code).toBe(1);
      expect(said).toContain("is not Docker's: nothing of it is used");
      expect(existsSync(at("etc/apt/keyrings/docker.asc"))).toBe(false);
      expect(existsSync(at("etc/apt/sources.list.d/docker.sources"))).toBe(false);
      expect(await log()).toEqual([]);
    },
  );

  test("of a release that Docker publishes nothing for leaves no source behind and takes the distribution's packages", async () => {
    await repositoryAnswers();
    await gpgFinds(debKey);
    const before = await readFile(join(bin, "apt-get"), "utf8");
    await program("apt-get", ...before.split("\n").slice(1), 'case "$*" in *docker.sources*update*) exit 100 ;; esac');
    const { code, said } = await run(bookworm, ["--yes"]);
    expect(`${code} ${said}`).toMatch(/^0 /);
    expect(said).toContain("Docker's own repository cannot be used");
    expect(existsSync(at("etc/apt/sources.list.d/docker.sources"))).toBe(false);
    expect(await installsOf()).toEqual([expect.stringContaining("install docker.io")]);
  });

  test("that was done already changes nothing", async () => {
    await repositoryAnswers();
    await gpgFinds(debKey);
    await run(bookworm, ["--yes"]);
    const done = await log();
    const again = await run(bookworm, ["--yes"]);
    expect(again.code).toBe(0);
    expect(again.said).toContain("Docker is ready");
    expect(await log()).toEqual(done);
    expect((await run(bookworm, ["--check"])).code).toBe(0);
  });

  test("on a machine without certificates gets these first, and then takes Docker's repository", async () => {
    await repositoryAnswers();
    await gpgFinds(debKey);
    const certificates = at("etc/ssl/certs/ca-certificates.crt");
    await rm(certificates);
    const before = await readFile(join(bin, "apt-get"), "utf8");
    const more = `case "$*" in *"install ca-certificates"*) echo certificates >'${certificates}' ;; esac`;
    await program("apt-get", ...before.split("\n").slice(1), more);
    const { code, said } = await run(bookworm, ["--yes"]);
    expect(`${code} ${said}`).toMatch(/^0 /);
    const installs = await installsOf();
    expect(installs.map((line) => line.replace(/.* install /, ""))).toEqual([
      "ca-certificates",
      "docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin",
    ]);
  });

  test("that was killed half-way is taken up again, from where it was", async () => {
    await repositoryAnswers();
    await gpgFinds(debKey);
    await program("docker", "exit 1");
    await program("dockerd", "exit 1");
    await program("dpkg-query", "case $* in *docker-ce*) printf unpacked ;; *) exit 1 ;; esac");
    const { said } = await run(bookworm, ["--dry-run"]);
    expect(said).toContain("- Docker Engine\n");
    expect(said).toContain("apt install docker-ce docker-ce-cli");
    await program("dpkg-query", "case $* in *docker.io*) printf half-configured ;; *) exit 1 ;; esac");
    expect((await run(bookworm, ["--dry-run"])).said).toContain("apt install docker.io");
    await run(bookworm, ["--yes"]);
    expect(await installsOf()).toEqual([expect.stringContaining("--fix-broken install docker.io")]);
  });

  test("puts nobody into the group docker by itself, and says what that would mean", async () => {
    await repositoryAnswers();
    await gpgFinds(debKey);
    await program("usermod", `echo "usermod $*" >>'${at("log")}'`);
    const { said } = await run(bookworm, ["--yes"]);
    expect(said).toMatch(/whoever is in it is root on this\n\s+machine/);
    expect(said).toContain("rootless");
    expect((await log()).join()).not.toContain("usermod");
    expect((await run(bookworm, ["--yes", "--join-group", "ann"])).said).toContain("as mighty as root");
    expect(await log()).toContain("usermod -aG docker ann");
  });

  test.each([
    ["nobody can be asked", {}, [], "say it with --yes"],
    ["another user than root asks for it", { FAKE_UID: "1000" }, ["--yes"], "this needs root. Run: sudo "],
  ])("where %s is refused with exit 3 behind its plan", async (_case, env, args, advice) => {
    await repositoryAnswers();
    const { code, said } = await run(bookworm, args, env);
    expect(code).toBe(3);
    expect(said).toContain("This will be done, as root:");
    expect(said).toContain(advice);
    expect(await log()).toEqual([]);
  });

  test("beside a podman that answers as docker is left to a person", async () => {
    await program("docker", "echo podman version 5");
    const { code, said } = await run(bookworm, ["--yes"]);
    expect(code).toBe(4);
    expect(said).toContain("podman-docker");
  });
});

test("a wrong line is usage, exit 2", async () => {
  expect((await run(bookworm, ["--force"])).code).toBe(2);
  expect((await run(bookworm, ["--from", "space"])).code).toBe(2);
  expect((await run(bookworm, ["--from"])).code).toBe(2);
});
