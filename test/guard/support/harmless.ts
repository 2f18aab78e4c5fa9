/**
 * What a body may say to the engine at most, under the policy of these tests: written by hand from the engine's point of
 * view, without a line of the guard's own model, as a list of what is wrong.
 */
export function harms(text: string): string[] {
  const wrong: string[] = [];
  const body = objectOf(JSON.parse(text), "body", wrong);
  const host = objectOf(body["HostConfig"], "HostConfig", wrong);
  expectOnly(body, topFields, "body", wrong);
  expectOnly(host, Object.keys(hostChecks), "HostConfig", wrong);
  for (const name of alwaysThere) if (!(name in host)) wrong.push(`${name} is missing`);
  for (const [name, check] of Object.entries(hostChecks)) {
    if (name in host && !check(host[name], host)) wrong.push(`${name} is ${JSON.stringify(host[name])}`);
  }
  if (!/^(?:docker\.io\/)?team\/sandbox:1$/.test(String(body["Image"])))
    wrong.push(`Image is ${String(body["Image"])}`);
  const labels = objectOf(body["Labels"], "Labels", wrong);
  if (labels["sandbox-deploy.guard"] !== "tests") wrong.push("the label of the owner is missing");
  if (Object.keys(labels).some((name) => !/^(?:app\.[a-z]+|sandbox-deploy\.guard)$/.test(name))) wrong.push("a label");
  if (/^\/(?:proc|sys|dev)/.test(String(body["WorkingDir"] ?? "/"))) wrong.push("WorkingDir");
  if (/(?:"|,)NVIDIA_VISIBLE_DEVICES=[^"]/.test(JSON.stringify(body["Env"] ?? []))) wrong.push("Env");
  if (!/^(?:box-[a-z0-9]+)?$/.test(String(body["Hostname"] ?? ""))) wrong.push("Hostname");
  return [...wrong, ...mountHarms(host)];
}

const topFields = (
  "Image Hostname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Entrypoint " +
  "Healthcheck WorkingDir NetworkDisabled Labels StopSignal StopTimeout HostConfig"
).split(" ");

const alwaysThere =
  "CapDrop CgroupnsMode IpcMode LogConfig Memory MemorySwap NanoCpus NetworkMode PidsLimit RestartPolicy SecurityOpt ShmSize".split(
    " ",
  );

const mib = 1024 ** 2;

function between(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}

function same(value: unknown, ...allowed: unknown[]): boolean {
  return allowed.some((each) => JSON.stringify(each) === JSON.stringify(value));
}

const hostChecks: Readonly<Record<string, (value: unknown, host: Record<string, unknown>) => boolean>> = {
  AutoRemove: (value) => value === true,
  CapAdd: (value) =>
    Array.isArray(value) && value.every((name) => ["CHOWN", "SETUID", "SETGID"].includes(String(name))),
  CapDrop: (value) => same(value, ["ALL"]),
  CgroupnsMode: (value) => value === "private",
  ConsoleSize: (value) => Array.isArray(value) && value.length === 2 && value.every((side) => between(side, 0, 65_535)),
  CpuShares: (value) => between(value, 2, 1024),
  ExtraHosts: (value) => same(value, ["host.docker.internal:host-gateway"]),
  Init: (value) => typeof value === "boolean",
  IpcMode: (value) => same(value, "private", "none"),
  LogConfig: (value) => isBoundedLog(value),
  Memory: (value) => between(value, 1, 256 * mib),
  MemorySwap: (value, host) => value === host["Memory"],
  Mounts: (value) => Array.isArray(value),
  NanoCpus: (value) => between(value, 1, 1.5e9),
  NetworkMode: (value) => same(value, "sandboxes", "none"),
  PidsLimit: (value) => between(value, 1, 64),
  PortBindings: (value) => Object.entries(objectOf(value, "", [])).every(([key, list]) => isBoundedPort(key, list)),
  ReadonlyRootfs: (value) => value === true,
  RestartPolicy: (value) => same(value, { Name: "no" }),
  SecurityOpt: (value) => same(value, ["no-new-privileges"]),
  ShmSize: (value) => between(value, 1, 32 * mib),
  Tmpfs: (value) => Object.entries(objectOf(value, "", [])).every(([at, options]) => isBoundedTmpfs(at, options)),
};

function isBoundedLog(value: unknown): boolean {
  const { Type, Config } = objectOf(value, "", []);
  const { "max-size": size, "max-file": files, ...others } = objectOf(Config, "", []);
  if (Object.keys(others).length > 0) return false;
  if (Type === "none") return true;
  return same(Type, "json-file", "local") && between(Number(size), 1, 5_000_000) && between(Number(files), 1, 3);
}

function isBoundedPort(key: string, list: unknown): boolean {
  const [binding, ...others] = Array.isArray(list) ? list : [];
  const { HostIp, HostPort, ...more } = objectOf(binding, "", []);
  const [from, to = from] = String(HostPort).split("-").map(Number);
  return (
    /^80(?:80|82)\/tcp$/.test(key) &&
    others.length === 0 &&
    Object.keys(more).length === 0 &&
    HostIp === "172.17.0.1" &&
    between(from, 8080, 8099) &&
    between(to, Number(from), 8099)
  );
}

function isBoundedTmpfs(at: string, options: unknown): boolean {
  const pattern = /^(?:rw|ro),(?:exec|noexec),nosuid,nodev,size=(\d+)(?:,mode=[0-7]+)?(?:,uid=\d+)?(?:,gid=\d+)?$/;
  const [, bytes] = pattern.exec(String(options)) ?? [];
  return isTarget(at) && between(Number(bytes), 1, 16 * mib);
}

function isTarget(path: unknown): boolean {
  return /^(?:\/[a-z0-9]+)+$/.test(String(path)) && !/^\/(?:proc|sys|dev)(?:\/|$)/.test(String(path));
}

function mountHarms(host: Record<string, unknown>): string[] {
  const mounts: unknown[] = Array.isArray(host["Mounts"]) ? host["Mounts"] : [];
  return mounts.flatMap((value) =>
    isHarmlessMount(objectOf(value, "", [])) ? [] : [`mount ${JSON.stringify(value)}`],
  );
}

function isHarmlessMount(mount: Record<string, unknown>): boolean {
  const { Type, Source, Target, ReadOnly, BindOptions, VolumeOptions, ...others } = mount;
  const source = String(Source);
  if (Object.keys(others).length > 0 || !isTarget(Target)) return false;
  if (!same(ReadOnly, undefined, true)) return false;
  if (Type === "volume") {
    const known = /^cache-[0-9]$/.test(source) || (/^frozen-[a-z0-9]+$/.test(source) && ReadOnly === true);
    return known && BindOptions === undefined && same(VolumeOptions, undefined, { NoCopy: true });
  }
  const own = /^\/srv\/data\/[a-z0-9]+$/.test(source);
  const shared = /^\/srv\/data\/shared\/[a-z0-9/]+$/.test(source) && ReadOnly === true;
  return (
    Type === "bind" && (own || shared) && VolumeOptions === undefined && same(BindOptions, { Propagation: "rprivate" })
  );
}

function expectOnly(object: Record<string, unknown>, names: readonly string[], what: string, wrong: string[]): void {
  for (const name of Object.keys(object)) if (!names.includes(name)) wrong.push(`${what} has ${name}`);
}

function objectOf(value: unknown, what: string, wrong: string[]): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  wrong.push(`${what} is no object`);
  return {};
}
