import * as z from "zod";
import { labelNames } from "../container-spec.ts";
import { type DockerClient, dockerMessage } from "../docker-client.ts";
import { messageOf, type SweepReport } from "../provider.ts";

const requestMs = 30_000;

const listSchema = z.array(
  z.object({
    Id: z.string().min(12),
    Names: z.array(z.string()),
    Labels: z.record(z.string(), z.string()),
  }),
);

/**
 * Removes the project's sandboxes that no living run of this process owns or whose deadline has passed. There is one
 * gateway per project: a sandbox that it does not own was left behind by a crash. Throws when the list cannot be read.
 */
export async function sweepContainers(
  docker: DockerClient,
  project: string,
  isOwned: (name: string) => boolean,
): Promise<SweepReport> {
  const labels = [`${labelNames.project}=${project}`, `${labelNames.role}=sandbox`];
  const answer = await docker.send({
    method: "GET",
    path: "/containers/json",
    query: { all: "1", filters: JSON.stringify({ label: labels }) },
    signal: AbortSignal.timeout(requestMs),
  });
  if (answer.status !== 200) throw new Error(`sandboxes could not be listed: ${dockerMessage(answer)}`);
  const removed: string[] = [];
  const failed: string[] = [];
  for (const container of listSchema.parse(answer.body)) {
    // Checked again here: what removes containers does not rest on a filter that somebody else applies.
    if (container.Labels[labelNames.project] !== project || container.Labels[labelNames.role] !== "sandbox") continue;
    const name = container.Names[0]?.replace(/^\//, "") ?? container.Id;
    if (isOwned(name) && !isOverdue(container.Labels[labelNames.deadline])) continue;
    const failure = await removeContainer(docker, container.Id);
    if (failure === undefined) removed.push(name);
    else failed.push(`${name}: ${failure}`);
  }
  return { removed, failed };
}

function isOverdue(deadline: string | undefined): boolean {
  const seconds = Number(deadline);
  return !Number.isFinite(seconds) || seconds * 1000 < Date.now();
}

/** Removes a container, running or not, by name or id; a text says why it is still there. */
export async function removeContainer(docker: DockerClient, nameOrId: string): Promise<string | undefined> {
  try {
    const answer = await docker.send({
      method: "DELETE",
      path: `/containers/${nameOrId}`,
      query: { force: "1", v: "1" },
      signal: AbortSignal.timeout(requestMs),
    });
    // 404: it is not there any more, or never was. 409: somebody is removing it already.
    return [200, 204, 404, 409].includes(answer.status) ? undefined : dockerMessage(answer);
  } catch (error) {
    return messageOf(error);
  }
}
