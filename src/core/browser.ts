/** What tells whether there is a browser for this person, and how to reach it. */
export interface Desk {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As Node.js names it. */
  readonly platform: string;
  readonly user: string;
  readonly host: string;
}

/** The program that opens a page in this person's browser; undefined where there is none, or it is on another machine. */
export function browserProgram({ env, platform }: Desk): string | undefined {
  if (isRemote(env)) return undefined;
  if (env["WSL_DISTRO_NAME"]) return "wslview";
  if (platform === "darwin") return "open";
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? "xdg-open" : undefined;
}

function isRemote(env: Desk["env"]): boolean {
  return Boolean(env["SSH_CONNECTION"] || env["SSH_CLIENT"] || env["SSH_TTY"]);
}

/**
 * The command that makes a page which listens on loopback here reachable from the person's own machine; undefined where
 * the page can be reached without. The names in it are those by which this machine was reached, as far as SSH tells.
 */
export function tunnelCommand(url: string, { env, user, host }: Desk): string | undefined {
  const { hostname, port, protocol } = new URL(url);
  if (hostname !== "localhost" && hostname !== "[::1]" && !/^127\./.test(hostname)) return undefined;
  const [, , address, sshPort] = (env["SSH_CONNECTION"] ?? "").split(" ");
  const at = port || (protocol === "https:" ? "443" : "80");
  const other = sshPort === undefined || sshPort === "22" ? [] : ["-p", sshPort];
  return ["ssh", "-N", "-L", `${at}:${hostname}:${at}`, ...other, `${user}@${address || host}`].join(" ");
}
