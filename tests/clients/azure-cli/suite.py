"""The Azure CLI against the simulated Azure: registers the cloud by its metadata, logs on with a service principal, and
runs `az restore-point` through the life of a collection, a point and a copy. Whole points are never printed, because
they hold users and keys of the guest.

    suite.py        reads ACCESS and CA from the environment, and keeps az's configuration in WORK
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from checks import Checks, access, until

GROUP = "RG-Prod"
HOME = "suite-az"
TARGET = "suite-az-west"
AZURE = access("azure")
# Exit codes of az: the vendor refused the request; the resource does not exist.
REFUSED, ABSENT = 1, 3

ENVIRONMENT = {
    **os.environ,
    "AZURE_CONFIG_DIR": str(Path(os.environ["WORK"]) / "configuration"),
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
    # The login host is not in Azure's list of authorities, and that list is out of reach.
    "AZURE_CORE_INSTANCE_DISCOVERY": "false",
    "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
    "AZURE_CORE_NO_COLOR": "true",
    "REQUESTS_CA_BUNDLE": os.environ["CA"],
}


def az(*words: str) -> subprocess.CompletedProcess:
    program = Path(sys.executable).with_name("az")
    return subprocess.run([program, *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=180)


class Suite(Checks):
    def __init__(self) -> None:
        super().__init__("azure-cli")

    def run_az(self, *words: str):
        """Runs az and returns its output, parsed; raises if it fails."""
        done = az(*words, "--output", "json")
        if done.returncode != 0:
            raise RuntimeError(f"az {words[0]} {words[1]}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def az_refused(self, what: str, code: int, error: str, *words: str) -> None:
        done = az(*words)
        ok = done.returncode == code and f"({error})" in done.stderr
        self.check(what, ok, f"{done.returncode}: {done.stderr}")

    def log_on(self) -> None:
        endpoint = AZURE["endpoint"]
        self.run_az("cloud", "register", "--name", "sandbox", "--endpoint-resource-manager", endpoint)
        self.run_az("cloud", "set", "--name", "sandbox")
        known = self.run_az("cloud", "show")["endpoints"]
        self.check("cloud: the endpoints of its metadata", known["activeDirectory"] == AZURE["authority"], known)
        who = ("--username", AZURE["client_id"], "--tenant", AZURE["tenant_id"])
        wrong = az("login", "--service-principal", *who, "--password", "wrong")
        refused = wrong.returncode == 1 and "AADSTS7000215" in wrong.stderr
        self.check("login: a wrong secret", refused, wrong.stderr)
        accounts = self.run_az("login", "--service-principal", *who, "--password", AZURE["client_secret"])
        one = [(account["id"], account["state"]) for account in accounts]
        self.check("login: the subscription", one == [(AZURE["subscription_id"], "Enabled")], one)

    def lists(self) -> None:
        everything = self.run_az("restore-point", "collection", "list-all")
        self.check("list-all: all pages", len(everything) > 100, len(everything))
        upper = [one for one in everything if f"/{GROUP.upper()}/" in one["id"]]
        self.check("list-all: groups in upper case", len(upper) >= 4, [one["id"] for one in everything][:3])
        own = self.run_az("restore-point", "collection", "list", "-g", GROUP.lower())
        names = [one["name"] for one in own]
        self.check("list: those of one group", "rpc-db01" in names, names)
        seeded = self.show("rpc-db01")
        self.check("collection show: no points unless requested", seeded.get("restorePoints") is None, "it has points")
        points = self.show("rpc-db01", "--restore-points")["restorePoints"]
        self.check("collection show: expanded", len(points) >= 6, len(points))
        self.machine = seeded["source"]["id"]

    def create(self) -> None:
        made = self.run_az(
            "restore-point", "collection", "create", "-g", GROUP, "--collection-name", HOME,
            "--source-id", self.machine, "--tags", "made-by=suite",
        )  # fmt: skip
        self.check("collection create: completes at once", made["provisioningState"] == "Succeeded", made)
        self.check("collection create: in the region of its group", made["location"] == "eastus", made["location"])
        self.check("collection create: its tags", made["tags"] == {"made-by": "suite"}, made["tags"])
        point = self.run_az(*self.point("create", HOME))
        self.check("create: polled to the end", point["provisioningState"] == "Succeeded", point["id"])
        consistency = point["consistencyMode"]
        self.check("create: its consistency", consistency == "FileSystemConsistent", consistency)
        self.source = point["id"]

    def copy(self) -> None:
        self.run_az(
            "restore-point", "collection", "create", "-g", GROUP, "--collection-name", TARGET,
            "--location", "swedencentral", "--source-id", self.show(HOME)["id"],
        )  # fmt: skip
        copying = ("--source-restore-point", self.source)
        self.run_az(*self.point("create", TARGET), *copying, "--no-wait")
        self.run_az(*self.point("wait", TARGET), "--created", "--interval", "1")
        copy = self.run_az(*self.point("show", TARGET))
        self.check("copy: its source", copy["sourceRestorePoint"]["id"] == self.source, copy["id"])
        views = until(
            60,
            lambda: self.run_az(*self.point("show", TARGET), "--instance-view")["instanceView"],
            lambda view: view["statuses"][0]["code"] == "ReplicationState/succeeded",
        )
        disks = views[-1]["diskRestorePoints"]
        percents = [disk["replicationStatus"]["completionPercent"] for disk in disks]
        self.check("copy: replicated in the end", percents == [100, 100, 100], views[-1])
        self.az_refused(
            "copy: a second one to the same region", REFUSED, "OperationNotAllowed",
            *self.point("create", TARGET, name="again"), *copying,
        )  # fmt: skip

    def update(self) -> None:
        tags = self.run_az(
            "restore-point", "collection", "update", "-g", GROUP, "--collection-name", HOME, "--tags", "stage=2"
        )["tags"]
        self.check("collection update: tags", tags == {"stage": "2"}, tags)

    def refusals(self) -> None:
        self.az_refused("refusal: no such point", ABSENT, "NotFound", *self.point("show", HOME, name="no"))
        self.az_refused(
            "refusal: a consistency mode that cannot be requested", REFUSED, "InvalidParameter",
            *self.point("create", HOME, name="no"), "--consistency-mode", "ApplicationConsistent",
        )  # fmt: skip
        self.az_refused(
            "refusal: no such group", ABSENT, "ResourceGroupNotFound",
            "restore-point", "collection", "list", "-g", "rg-no",
        )  # fmt: skip

    def delete(self) -> None:
        self.run_az(*self.point("delete", HOME), "--yes")
        self.az_refused("delete: a point is gone", ABSENT, "NotFound", *self.point("show", HOME))
        for name in (TARGET, HOME):
            whole = ("-g", GROUP, "--collection-name", name)
            self.run_az("restore-point", "collection", "delete", *whole, "--yes")
            self.az_refused(
                f"delete: {name} is gone, with its points", ABSENT, "ResourceNotFound",
                "restore-point", "collection", "show", *whole,
            )  # fmt: skip

    def show(self, collection: str, *more: str) -> dict:
        return self.run_az(
            "restore-point", "collection", "show", "-g", GROUP, "--collection-name", collection, *more
        )

    @staticmethod
    def point(verb: str, collection: str, name: str = "one") -> tuple[str, ...]:
        return ("restore-point", verb, "-g", GROUP, "--collection-name", collection, "-n", name)


if __name__ == "__main__":
    suite = Suite()
    sys.exit(
        suite.run(
            suite.log_on,
            suite.lists,
            suite.create,
            suite.copy,
            suite.update,
            suite.refusals,
            suite.delete,
        )
    )
