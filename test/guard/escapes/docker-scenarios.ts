import { tar } from "./tar.ts";
import type { World } from "./world.ts";

/** One call of the docker command, and what stands on its input. */
export interface DockerCall {
  readonly args: readonly string[];
  readonly input?: string;
  /** The output varies from call to call, such as figures: only its form is compared. */
  readonly varies?: true;
}

/** What somebody does with the docker command, from a state without containers of the run to the same state. */
export interface DockerScenario {
  readonly name: string;
  readonly calls: readonly DockerCall[];
}

const call = (line: string, ...last: readonly string[]): DockerCall => ({ args: [...line.split(" "), ...last] });

/** What is within the policy: the guard and the engine itself have to answer with the same output and exit codes. */
export function allowedScenarios({ image, names, network, root, run }: World): readonly DockerScenario[] {
  const name = names.escape;
  const usual = `--network ${network.name} --read-only`;
  const detached = `run -d --name ${name} ${usual}`;
  const filter = `--filter name=^${name}$`;
  const sleeps = call(`${detached} ${image.reference} sleep 1000`);
  const remove = call(`rm -f ${name}`);
  const show = "--format {{.Names}}|{{.Image}}|{{.Command}}|{{.State}}|{{.Ports}}|{{.Networks}}|{{.Size}}";
  return [
    {
      name: "run -d, ps, ps -a, stop, start, rm -f",
      calls: [
        sleeps,
        ...[`ps ${filter} ${show}`, `ps -a ${filter} ${show}`, `ps -q ${filter}`, `ps -a ${filter}`].map((line) =>
          call(line),
        ),
        ...[
          `stop -t 0 ${name}`,
          `ps ${filter} -q`,
          `ps -a ${filter} ${show}`,
          `start ${name}`,
          `restart -t 0 ${name}`,
        ].map((line) => call(line)),
        ...[`kill ${name}`, `wait ${name}`, `start ${name}`, `rm ${name}`].map((line) => call(line)),
        remove,
        remove,
        call(`ps -a ${filter} -q`),
      ],
    },
    {
      name: "run in the foreground, with the exit code of the program and both of its outputs",
      calls: [
        call(`run --name ${name} ${usual} ${image.reference} sh -c`, "echo out; echo err >&2; exit 3"),
        call(`logs ${name}`),
        remove,
        call(`run --rm --name ${name} ${usual} ${image.reference} sh -c`, "echo out; exit 42"),
        call(`ps -a ${filter} -q`),
        {
          ...call(`run --rm -i --name ${name} ${usual} ${image.reference} sh -c`, "tr a-z A-Z; exit 5"),
          input: "shout\n",
        },
        call(`run --rm --name ${name} ${usual} ${image.reference} /no/such/program`),
        call(`run --rm --name ${name} ${usual} ${image.reference} sh -c`, "kill -9 $$"),
      ],
    },
    {
      name: "create, inspect of what is there and of what is not, port, top, stats",
      calls: [
        call(`create --name ${name} ${usual} ${image.reference} sleep 1000`),
        ...["container ", ""].map((kind) =>
          call(`${kind}inspect --format {{.Name}}|{{.Config.Image}}|{{.State.Status}}|{{.Config.Cmd}} ${name}`),
        ),
        call(`start ${name}`),
        call(`port ${name}`),
        { ...call(`top ${name}`), varies: true },
        call(`stats --no-stream --format {{.Name}} ${name}`),
        ...["", "container ", "image ", "network ", "volume "].map((kind) => call(`${kind}inspect nothing-${run}`)),
        call(`inspect --type image nothing-${run}`),
        call(`image inspect --format {{.Id}}|{{.RepoTags}} ${image.reference}`),
        call(`inspect --format {{.Id}} ${image.reference}`),
        ...["logs", "port", "rm", "rm -f", "stop", "start", "kill", "wait", "top", "restart"].map((verb) =>
          call(`${verb} nothing-${run}`),
        ),
        call(`stats --no-stream nothing-${run}`),
        call(`image ls --format {{.Repository}}:{{.Tag}} ${image.reference}`),
        remove,
      ],
    },
    {
      name: "logs: whole, the last lines, followed to the end, with the names of both outputs kept apart",
      calls: [
        call(
          `${detached} ${image.reference} sh -c`,
          "for i in 1 2 3; do echo line $i; echo fault $i >&2; sleep 0.2; done; exit 7",
        ),
        call(`logs -f ${name}`),
        call(`wait ${name}`),
        ...[
          `logs ${name}`,
          `logs --tail 2 ${name}`,
          `logs --tail 0 ${name}`,
          `logs --since 1h ${name}`,
          `logs --until 1h ${name}`,
        ].map((line) => call(line)),
        { ...call(`logs --timestamps ${name}`), varies: true },
        remove,
      ],
    },
    {
      name: "exec: exit codes, input, variables, directory, user, in the background, of what is not there",
      calls: [
        sleeps,
        call(`exec ${name} sh -c`, "echo out; echo err >&2; exit 9"),
        { ...call(`exec -i ${name} tr a-z A-Z`), input: "shout\n" },
        call(`exec -e WHO=me -w /bin ${name} sh -c`, "echo $WHO; pwd"),
        call(`exec --user 1000:1000 ${name} id -u`),
        call(`exec -d ${name} sleep 1`),
        call(`exec ${name} /no/such/program`),
        call(`exec nothing-${run} true`),
        remove,
        call(`exec ${name} true`),
      ],
    },
    {
      name: "attach, pause, unpause, cp in both directions",
      calls: [
        call(`${detached} -v ${root}/threads/t1:/mnt/t1 ${image.reference} sleep 1000`),
        call(`pause ${name}`),
        call(`ps ${filter} --format {{.State}}`),
        call(`exec ${name} true`),
        call(`unpause ${name}`),
        { ...call(`cp - ${name}:/mnt/t1`), input: tar("note", "hello").toString("latin1") },
        call(`exec ${name} cat /mnt/t1/note`),
        { ...call(`cp ${name}:/mnt/t1/note -`), varies: true },
        call(`cp ${name}:/no/such/file -`),
        remove,
      ],
    },
    {
      name: "a published port, a label, a limit, a name that is taken",
      calls: [
        call(
          `run -d --name ${name} ${usual} -p 127.0.0.1:30017:8080 --label sandbox.note=x -m 64m --pids-limit 32 ${image.reference} sleep 1000`,
        ),
        call(`port ${name}`),
        call(`port ${name} 8080`),
        call(`port ${name} 99`),
        call(
          "inspect --format",
          '{{.HostConfig.Memory}}|{{.HostConfig.PidsLimit}}|{{index .Config.Labels "sandbox.note"}}',
          name,
        ),
        sleeps,
        call(`run -d --name ${names.other} ${usual} -p 127.0.0.1:30017:8080 ${image.reference} sleep 1000`),
        call(`rm -f ${name} ${names.other}`),
      ],
    },
    {
      name: "version and info, as far as clients look at them",
      calls: [
        call("version --format {{.Server.APIVersion}}|{{.Server.Os}}"),
        call("info --format {{.OSType}}|{{.Swarm.LocalNodeState}}"),
      ],
    },
  ];
}

/** What is not within the policy: the docker command fails, and says by which rule. */
export function refusedCalls(world: World): readonly (readonly [args: readonly string[], rule: string])[] {
  const { image, foreignImage, foreign, names, root, outside, mine, foreignNetwork, run: id } = world;
  const run = (...options: readonly string[]) => [
    "run",
    "--rm",
    "--name",
    names.escape,
    ...options,
    image.reference,
    "true",
  ];
  return [
    [run("--privileged"), "host-config.privileged"],
    [run("-v", "/:/host"), "bind."],
    [run("-v", "/var/run/docker.sock:/var/run/docker.sock"), "bind."],
    [run("--mount", `type=bind,source=${outside},target=/mnt/t1`), "bind."],
    [run("-v", `${root}/threads/link:/mnt/link`), "bind.outside-root"],
    [run("-v", "escape-data:/data"), "mount.volume"],
    [run("--volumes-from", foreign.name), "host-config.volumes-from"],
    [run("--network", "host"), "host-config.network-mode"],
    [run("--network", foreignNetwork.name), "host-config.network-mode"],
    [run("--network", `container:${foreign.name}`), "host-config.network-mode"],
    [run("--pid", "host"), "host-config.pid-mode"],
    [run("--ipc", "host"), "host-config.ipc-mode"],
    [run("--uts", "host"), "host-config.uts-mode"],
    [run("--userns", "host"), "host-config.userns-mode"],
    [run("--cgroup-parent", "/"), "host-config.cgroup-parent"],
    [run("--cap-add", "SYS_ADMIN"), "host-config.cap-add"],
    [run("--device", "/dev/kmsg"), "host-config.devices"],
    [run("--gpus", "all"), "host-config.device-requests"],
    [run("--security-opt", "apparmor=unconfined"), "host-config.security-opt"],
    [run("--sysctl", "net.ipv4.ip_forward=1"), "host-config.sysctls"],
    [run("--runtime", "io.containerd.runc.v2"), "host-config.runtime"],
    [run("--group-add", "docker"), "host-config.group-add"],
    [run("--oom-score-adj", "-1000"), "host-config.oom-score-adj"],
    [run("--ulimit", "nproc=100000"), "host-config.ulimits"],
    [run("--log-driver", "syslog"), "host-config.log-config"],
    [run("--dns", "10.0.0.1"), "host-config.dns"],
    [run("--add-host", "store:10.0.0.1"), "host-config.extra-hosts"],
    [run("--link", foreign.name), "host-config.links"],
    [run("--hostname", "store"), "config.hostname"],
    [run("--label", "traefik.enable=true"), "label.foreign"],
    [run("--user", "0:0"), "config.user"],
    [run("-p", "22:8080"), "port.host-range"],
    [run("-P"), "host-config.publish-all-ports"],
    [["run", "--rm", "--name", `escape-${id}-store`, image.reference, "true"], "name.not-allowed"],
    [["run", "--rm", image.reference, "true"], "name.missing"],
    [["run", "--rm", "--name", names.escape, foreignImage.reference, "true"], "image.not-allowed"],
    [["exec", "--privileged", mine.name, "true"], "exec.privileged"],
    [["update", "--memory", "1g", mine.name], "route.unknown"],
    [["rename", mine.name, names.other], "route.unknown"],
    [["commit", mine.name, `escape-${id}:new`], "route.unknown"],
    [["export", mine.name], "route.unknown"],
    [["diff", mine.name], "route.unknown"],
    [["tag", image.reference, `escape-${id}:new`], "route.unknown"],
    [["rmi", image.reference], "route.unknown"],
    [["save", foreignImage.reference], "route.unknown"],
    [["pull", `${foreignImage.reference.split(":")[0]}:2`], "image.not-allowed"],
    [["volume", "create", `escape-${id}-new`], "route.unknown"],
    [["volume", "ls"], "route.unknown"],
    [["network", "create", `escape-${id}-new`], "route.unknown"],
    [["network", "connect", foreignNetwork.name, mine.name], "route.unknown"],
    [["container", "prune", "-f"], "route.unknown"],
    [["system", "df"], "route.unknown"],
    [["plugin", "ls"], "route.unknown"],
    [["swarm", "init"], "route.unknown"],
  ];
}
