"""What a program does with docker-py: prints one line for each step, without what differs from run to run.

usage: docker-py.py IMAGE NAME NETWORK    DOCKER_HOST names the socket
"""
import re
import sys

import docker

image, name, network = sys.argv[1:]
client = docker.from_env(version="auto")
usual = {"name": name, "network": network, "read_only": True}


def step(what, action):
    try:
        print(f"{what}: {action()!r}")
    except Exception as error:  # every failure is a line of the output
        text = re.sub(r"[0-9a-f]{64}", "<id>", str(error))
        print(f"{what} failed: {type(error).__name__} {re.sub(r'https?[^ ]*docker', 'docker', text)}")


step("ping", client.ping)
step("version", lambda: client.version()["ApiVersion"])
step("run in the background", lambda: client.containers.run(image, ["sleep", "1000"], detach=True, **usual).name)
container = client.containers.get(name)
step("status", lambda: container.status)
step("list", lambda: [each.name for each in client.containers.list(all=True, filters={"name": name})])
step("exec", lambda: tuple(container.exec_run(["sh", "-c", "echo out; exit 4"])))
step("exec for both outputs", lambda: tuple(container.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True)))
step("pause", container.pause)
step("unpause", container.unpause)
step("stop", lambda: container.stop(timeout=0))
step("start", container.start)
step("kill", container.kill)
step("wait", container.wait)
step("remove", lambda: container.remove(force=True, v=True))
step("run", lambda: client.containers.run(image, ["sh", "-c", "echo out"], remove=True, **usual))
step("run that fails", lambda: client.containers.run(image, ["sh", "-c", "echo err >&2; exit 5"], remove=True, stderr=True, **usual))
step("run a missing image", lambda: client.images.get("nothing-of-that-name"))
step("get what is not there", lambda: client.containers.get("nothing-of-that-name"))
step("image", lambda: client.images.get(image).tags)
