/** How a sandbox is created by hand so that it has exactly what the default policy of the guard gives. */
export const asPolicy: readonly string[] = [
  ...["--memory=512m", "--memory-swap=512m", "--cpus=1", "--pids-limit=128", "--network=none", "--read-only"],
  ...["--cap-drop=ALL", "--security-opt=no-new-privileges", "--cgroupns=private", "--user=65534:65534"],
  ...["--log-opt=max-size=1m", "--log-opt=max-file=2"],
];

/** The name that the guard gives the sandbox of a project which has this digit. */
export function sandboxName(project: string, digit: number): string {
  return `${project}-sandbox-${String(digit).repeat(16)}`;
}
