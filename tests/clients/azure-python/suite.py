"""azure-mgmt-compute and azure-identity, Microsoft's client libraries for Python, against the simulated Azure: the whole
life of collections and points, and each refusal as the library's own exception. Whole points are never printed, because
they hold users and keys of the guest.

    suite.py        reads ACCESS and CA from the environment
"""

import logging
import os
import sys

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute import models as m

from checks import Checks, access, until

GROUP = "RG-Prod"
HOME = "suite-python"
TARGET = "suite-python-west"
AZURE = access("azure")
CA = os.environ["CA"]


def client(secret: str = AZURE["client_secret"], subscription: str = AZURE["subscription_id"]):
    credential = ClientSecretCredential(
        AZURE["tenant_id"],
        AZURE["client_id"],
        secret,
        authority=AZURE["authority"],
        disable_instance_discovery=True,
        connection_verify=CA,
    )
    return ComputeManagementClient(
        credential,
        subscription,
        base_url=AZURE["endpoint"],
        credential_scopes=[f"{AZURE['endpoint']}/.default"],
        connection_verify=CA,
        polling_interval=0.2,  # a minute in the sandbox takes 0.1 s
        retry_total=0,  # a refusal must be visible, not retried
    )


def coded(status: int, code: str):
    return lambda error: (error.status_code, error.error.code) == (status, code)


class Suite(Checks):
    def __init__(self) -> None:
        super().__init__("azure-python")
        self.compute = client()
        self.collections = self.compute.restore_point_collections
        self.points = self.compute.restore_points
        self.disks = self.compute.disk_restore_point

    def credentials(self) -> None:
        wrong = client(secret="wrong").restore_point_collections
        self.refused(
            "credentials: a wrong secret",
            lambda: list(wrong.list_all()),
            ClientAuthenticationError,
            lambda error: "AADSTS7000215" in error.message,
        )
        elsewhere = client(subscription="00000000-0000-0000-0000-000000000000")
        self.refused(
            "credentials: another subscription",
            lambda: list(elsewhere.restore_point_collections.list_all()),
            ResourceNotFoundError,
            coded(404, "SubscriptionNotFound"),
        )

    def lists(self) -> None:
        pages = [list(page) for page in self.collections.list_all().by_page()]
        everything = [collection for page in pages for collection in page]
        sizes = [len(page) for page in pages]
        self.check("list all: several pages", len(pages) > 1 and all(sizes), sizes)
        ids = {collection.id.lower() for collection in everything}
        self.check("list all: no collection twice", len(ids) == len(everything), sizes)
        upper = all("/resourceGroups/RG-" in one.id for one in everything if "rg-" in one.id.lower())
        self.check("list all: groups in upper case", upper, [one.id for one in everything][:3])
        backups = [one for one in everything if one.name.startswith("AzureBackup_")]
        self.check("list all: Azure Backup's collections too", backups, len(everything))

        own = list(self.collections.list(GROUP.lower()))
        names = [collection.name for collection in own]
        self.check("list: those of one group", "rpc-db01" in names, names)
        self.check("list: groups spelled as created", all(f"/{GROUP}/" in one.id for one in own), names)
        self.seeded = next(one for one in own if one.name == "rpc-db01")
        plain = self.collections.get(GROUP, self.seeded.name)
        self.check("get: no points unless requested", plain.restore_points is None, "it has points")
        full = self.collections.get(GROUP, self.seeded.name, expand="restorePoints")
        points = full.restore_points
        self.check("get: expanded", len(points) >= 6, len(points))
        self.check("get: points carry the id of their machine", all(p.source_metadata.vm_id for p in points))
        self.check("get: a point has no type", all(point.type is None for point in points))

    def create(self) -> None:
        machine = self.seeded.source.id
        made = self.collections.create_or_update(
            GROUP,
            HOME,
            m.RestorePointCollection(
                location="East US", source={"id": machine}, tags={"made-by": "suite"}
            ),
        )
        self.check("create: a collection, completed at once", made.provisioning_state == "Succeeded", made)
        self.check("create: its region, normalised", made.location == "eastus", made.location)
        self.check("create: its source", made.source.id == machine, made.source)
        self.check("create: its tags", made.tags == {"made-by": "suite"}, made.tags)

        poller = self.points.begin_create(
            GROUP, HOME, "one", m.RestorePoint(consistency_mode="CrashConsistent")
        )
        self.check("create: a point, in progress", poller.status() == "InProgress", poller.status())
        point = poller.result()
        self.check("create: polled to the end", poller.status() == "Succeeded", poller.status())
        self.check("create: a finished point", point.provisioning_state == "Succeeded", point.provisioning_state)
        self.check("create: its consistency", point.consistency_mode == "CrashConsistent", point.consistency_mode)
        storage = point.source_metadata.storage_profile
        disks = [storage.os_disk, *storage.data_disks]
        self.check("create: each disk has a restore point", all(d.disk_restore_point for d in disks), disks)
        self.check("create: its time", point.time_created.utcoffset() is not None, point.time_created)
        self.point = point

    def copy(self) -> None:
        target = self.collections.create_or_update(
            GROUP,
            TARGET,
            m.RestorePointCollection(location="westeurope", source={"id": self.home().id}),
        )
        self.check("copy: a target in another region", target.source.location == "eastus", target.source)
        poller = self.points.begin_create(
            GROUP, TARGET, "one", m.RestorePoint(source_restore_point={"id": self.point.id})
        )
        copy = poller.result()
        self.check("copy: its operation ends before the replication", copy.provisioning_state == "Succeeded", copy.id)
        self.check("copy: as old as its source", copy.time_created == self.point.time_created, copy.time_created)
        self.check("copy: its source", copy.source_restore_point.id == self.point.id, copy.id)
        view = self.points.get(GROUP, TARGET, "one", expand="instanceView").instance_view
        code = view.statuses[0].code
        self.check("copy: replicating at first", code == "ReplicationState/replicating", view)
        self.refused(
            "copy: a second one beside it",
            lambda: self.start_copy("two"),
            ResourceExistsError,
            coded(409, "OperationNotAllowed"),
        )
        readings = until(
            60,
            lambda: self.points.get(GROUP, TARGET, "one", expand="instanceView").instance_view,
            lambda view: view.statuses[0].code == "ReplicationState/succeeded",
        )
        last = readings[-1]
        self.check("copy: replicated in the end", last.statuses[0].code == "ReplicationState/succeeded", last)
        percents = [
            [disk.replication_status.completion_percent for disk in view.disk_restore_points]
            for view in readings
        ]
        rising = all(b >= a for one, two in zip(percents, percents[1:]) for a, b in zip(one, two))
        whole = all(percent == 100 for percent in percents[-1])
        self.check("copy: percents rise, to 100", rising and whole, percents)

    def disk_points(self) -> None:
        listed = list(self.disks.list_by_restore_point(GROUP, TARGET, "one"))
        self.check("disks: one for each disk", len(listed) == 3, listed)
        states = {(disk.replication_state, disk.completion_percent) for disk in listed}
        self.check("disks: replicated, by the disk provider too", states == {("Succeeded", 100.0)}, states)
        disk = self.disks.get(GROUP, TARGET, "one", listed[0].name)
        self.check("disks: get", (disk.id, disk.os_type) == (listed[0].id, "Linux"), disk)

    def signed_access(self) -> None:
        name = next(iter(self.disks.list_by_restore_point(GROUP, HOME, "one"))).name
        body = m.GrantAccessData(access="Read", duration_in_seconds=3600)
        granted = self.disks.begin_grant_access(GROUP, HOME, "one", name, body).result()
        self.check("signed access: a URL", granted.access_sas.startswith("https://"), "no URL")
        self.refused(
            "signed access: no deletion meanwhile",
            lambda: self.points.begin_delete(GROUP, HOME, "one").result(),
            ResourceExistsError,
            coded(409, "DiskRestorePointUsedByCustomer"),
        )
        ended = self.disks.begin_revoke_access(GROUP, HOME, "one", name)
        ended.result()
        self.check("signed access: ended", ended.status() == "Succeeded", ended.status())

    def update(self) -> None:
        changed = self.collections.update(GROUP, HOME, {"tags": {"made-by": "suite", "stage": "2"}})
        tags = {"made-by": "suite", "stage": "2"}
        self.check("update: tags", changed.tags == tags, changed.tags)
        self.check("update: kept", self.home().tags == tags, self.home().tags)

    def refusals(self) -> None:
        self.refused(
            "refusal: no such point",
            lambda: self.points.get(GROUP, HOME, "no"),
            ResourceNotFoundError,
            coded(404, "NotFound"),
        )
        self.refused(
            "refusal: no such collection",
            lambda: self.collections.get(GROUP, "no"),
            ResourceNotFoundError,
            coded(404, "ResourceNotFound"),
        )
        self.refused(
            "refusal: a point of no collection",
            lambda: self.points.get(GROUP, "no", "no"),
            ResourceNotFoundError,
            coded(404, "ParentResourceNotFound"),
        )
        self.refused(
            "refusal: no such group",
            lambda: list(self.collections.list("rg-no")),
            ResourceNotFoundError,
            coded(404, "ResourceGroupNotFound"),
        )
        self.refused(
            "refusal: a consistency mode that cannot be requested",
            lambda: self.points.begin_create(
                GROUP, HOME, "no", m.RestorePoint(consistency_mode="ApplicationConsistent")
            ),
            HttpResponseError,
            coded(400, "InvalidParameter"),
        )
        self.refused(
            "refusal: no disk excluded by an empty list",
            lambda: self.points.begin_create(GROUP, HOME, "no", m.RestorePoint(exclude_disks=[])),
            HttpResponseError,
            coded(400, "InvalidParameter"),
        )
        self.refused(
            "refusal: another source for a collection",
            lambda: self.collections.create_or_update(
                GROUP,
                TARGET,
                m.RestorePointCollection(location="westeurope", source={"id": self.seeded.id}),
            ),
            ResourceExistsError,
            coded(409, "PropertyChangeNotAllowed"),
        )
        self.refused(
            "refusal: a copy of a copy",
            self.copy_the_copy,
            ResourceExistsError,
            coded(409, "OperationNotAllowed"),
        )
        self.refused(
            "refusal: a second copy to the same region",
            lambda: self.start_copy("again"),
            ResourceExistsError,
            coded(409, "OperationNotAllowed"),
        )

    def quota(self) -> None:
        """Three copies an hour are allowed, and an hour takes six seconds: each copy is deleted while it runs."""
        self.collections.create_or_update(
            GROUP,
            f"{TARGET}-quota",
            m.RestorePointCollection(location="japaneast", source={"id": self.home().id}),
        )
        refusal = None
        for number in range(4):
            try:
                self.start_copy(f"copy{number}", f"{TARGET}-quota")
            except HttpResponseError as error:
                refusal = error
                break
            self.points.begin_delete(GROUP, f"{TARGET}-quota", f"copy{number}").result()
        self.check("quota: refused at the fourth copy", refusal and refusal.status_code == 429 and number == 3, refusal)
        self.check("quota: its code", refusal.error.code == "OperationNotAllowed", refusal)
        detail = refusal.error.details[0]
        self.check("quota: its detail", (detail.code, detail.target) == ("TooManyRequests", "CopyRestorePoint"), detail)
        wait = refusal.response.headers["Retry-After"]
        self.check("quota: Retry-After", wait.isdecimal() and 0 < int(wait) <= 3600, wait)
        self.collections.begin_delete(GROUP, f"{TARGET}-quota").result()

    def delete(self) -> None:
        poller = self.points.begin_delete(GROUP, HOME, "one")
        poller.result()
        self.check("delete: a point", poller.status() == "Succeeded", poller.status())
        self.refused(
            "delete: it is gone",
            lambda: self.points.get(GROUP, HOME, "one"),
            ResourceNotFoundError,
            coded(404, "NotFound"),
        )
        again = self.points.begin_delete(GROUP, HOME, "one")
        again.result()
        self.check("delete: repeated, succeeds", again.status() == "Succeeded", again.status())
        for name in (TARGET, HOME):
            self.collections.begin_delete(GROUP, name).result()
            self.refused(
                f"delete: {name} is gone, with its points",
                lambda: self.collections.get(GROUP, name),
                ResourceNotFoundError,
                coded(404, "ResourceNotFound"),
            )

    def home(self) -> m.RestorePointCollection:
        return self.collections.get(GROUP, HOME)

    def start_copy(self, name: str, target: str = TARGET):
        body = m.RestorePoint(source_restore_point={"id": self.point.id})
        return self.points.begin_create(GROUP, target, name, body, polling=False)

    def copy_the_copy(self):
        name = f"{TARGET}-onward"
        copy = self.points.get(GROUP, TARGET, "one").id
        source = {"id": self.collections.get(GROUP, TARGET).id}
        body = m.RestorePointCollection(location="uksouth", source=source)
        self.collections.create_or_update(GROUP, name, body)
        try:
            body = m.RestorePoint(source_restore_point={"id": copy})
            return self.points.begin_create(GROUP, name, "one", body)
        finally:
            self.collections.begin_delete(GROUP, name).result()


if __name__ == "__main__":
    logging.disable()  # the refusals are expected
    suite = Suite()
    sys.exit(
        suite.run(
            suite.credentials,
            suite.lists,
            suite.create,
            suite.copy,
            suite.disk_points,
            suite.signed_access,
            suite.update,
            suite.refusals,
            suite.quota,
            suite.delete,
        )
    )
