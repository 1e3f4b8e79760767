"""A client in Python, with code generated from the contract by grpcio-tools. It lists all points page by page, gets two
of them, creates a collection, copies a point into it, watches the copy until it is usable, and decodes the details of
errors. On a Unix socket it only asks for the backends.

    python client.py HOST:PORT SOCKET
"""

import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from restorepoint.v1 import restore_point_service_pb2 as pb
from restorepoint.v1.collection_pb2 import Collection
from restorepoint.v1.restore_point_pb2 import RestorePoint
from restorepoint.v1.restore_point_service_pb2_grpc import RestorePointServiceStub

REGION = "northeurope"
REQUEST_ID = "5f0c1f4e-6d3c-4a55-9b0e-2f6f5d1f0a02"
CALL_SECONDS = 30
WATCH_SECONDS = 120


class Client:
    def __init__(self, stub: RestorePointServiceStub) -> None:
        self.stub = stub
        self.passed = 0
        self.failed = 0

    def check(self, name: str, ok: bool, why: object) -> None:
        if ok:
            self.passed += 1
            print(f"ok   {name}")
        else:
            self.failed += 1
            print(f"FAIL {name}: {why}")

    def run(self) -> None:
        for step in (self.list, self.get, self.create, self.copy, self.watch, self.errors):
            try:
                step()
            except Exception as error:  # an unexpected one is one failed check
                self.check(step.__name__, False, repr(error))

    def list(self) -> None:
        request = pb.ListRequest(parent="backends/-/collections/-", page_size=7)
        pages = list(all_pages(self.stub.List, request))
        points = [point for page in pages for point in page.restore_points]
        of = {
            vendor: [point for point in points if point.WhichOneof("vendor") == vendor]
            for vendor in ("azure", "veeam")
        }
        ready = {
            vendor: [point for point in points if point.state == RestorePoint.READY]
            for vendor, points in of.items()
        }
        sizes = [len(page.restore_points) for page in pages]
        self.check("list: several pages of at most 7", len(sizes) > 1 and max(sizes) <= 7, sizes)
        unreachable = [name for page in pages for name in page.unreachable]
        self.check("list: every backend was read", not unreachable, unreachable)
        names = [point.name for point in points]
        self.check("list: no point twice", len(set(names)) == len(names), sorted(names))
        counts = {vendor: len(points) for vendor, points in of.items()}
        both = counts["azure"] > 0 and counts["veeam"] >= 6
        whole = sum(counts.values()) == len(points)
        self.check("list: points of both vendors, and no others", both and whole, counts)
        inconsistent = [p.name for p in points if p.usable != (p.state == RestorePoint.READY)]
        self.check("list: usable exactly if READY", not inconsistent, inconsistent)
        self.azure = ready["azure"][0]
        self.veeam = ready["veeam"][0]

    def get(self) -> None:
        for vendor, listed in (("Azure", self.azure), ("Veeam", self.veeam)):
            got = self.stub.Get(pb.GetRequest(name=listed.name), timeout=CALL_SECONDS)
            same = (got.name, got.state) == (listed.name, listed.state)
            self.check(f"get: the {vendor} point that was listed", same, got)
        point_id = self.veeam.name.rpartition("/")[2]
        short = f"backends/veeam/collections/-/restorePoints/{point_id}"
        got = self.stub.Get(pb.GetRequest(name=short), timeout=CALL_SECONDS)
        self.check("get: the Veeam point without its collection", got.name == self.veeam.name, got)

    def create(self) -> None:
        self.home, self.newest = self.choose()
        # In the same resource group, which must exist already.
        group = self.home.name.rpartition("/")[2].partition("~")[0]
        request = pb.CreateCollectionRequest(
            parent="backends/azure",
            collection_id=f"{group}~client-python",
            collection=Collection(location=REGION, source=self.home.name),
        )
        self.target = self.stub.CreateCollection(request, timeout=CALL_SECONDS)
        made = (self.target.name, self.target.source, self.target.location)
        requested = (f"backends/azure/collections/{request.collection_id}", self.home.name, REGION)
        self.check("create: the requested id and source", made == requested, made)
        again = self.stub.CreateCollection(request, timeout=CALL_SECONDS)
        self.check("create: repeated, the same response", again == self.target, again)

    def choose(self) -> tuple[Collection, RestorePoint]:
        """A collection whose source is a virtual machine, and the newest usable point in it."""
        request = pb.ListCollectionsRequest(parent="backends/azure")
        for page in all_pages(self.stub.ListCollections, request):
            for home in page.collections:
                of_machine = home.source.startswith("/subscriptions/")
                if not of_machine or home.location == REGION or "azurebackup" in home.name.lower():
                    continue
                newest = pb.ListRequest(
                    parent=home.name, filter="state = READY", order_by="point_time desc", page_size=1
                )
                for point in self.stub.List(newest, timeout=CALL_SECONDS).restore_points:
                    if not point.source_restore_point:
                        return home, point
        raise LookupError("no collection holds a point to copy")

    def copy(self) -> None:
        request = pb.CopyRequest(
            source=self.newest.name, destination=self.target.name, request_id=REQUEST_ID
        )
        trial = pb.CopyRequest(validate_only=True)
        trial.MergeFrom(request)
        planned = self.stub.Copy(trial, timeout=CALL_SECONDS)
        code, _ = error_of(self.stub.Get, pb.GetRequest(name=planned.restore_point.name))
        nothing = not planned.resume_token and code == grpc.StatusCode.NOT_FOUND
        self.check("copy: validate_only writes nothing", nothing, code)

        self.copied = self.stub.Copy(request, timeout=CALL_SECONDS)
        point = self.copied.restore_point
        same = point.name == planned.restore_point.name
        inside = point.name.startswith(f"{self.target.name}/restorePoints/")
        self.check("copy: the name that validate_only returned", same and inside, point.name)
        known = point.source_restore_point == self.newest.name
        self.check("copy: its source", known, point)
        self.check("copy: a resume token", bool(self.copied.resume_token), self.copied)
        again = self.stub.Copy(request, timeout=CALL_SECONDS).restore_point
        self.check("copy: repeated, the same point", again.uid == point.uid, again)

    def watch(self) -> None:
        name = self.copied.restore_point.name
        request = pb.WatchStatusRequest(names=[name], resume_token=self.copied.resume_token)
        stream = self.stub.WatchStatus(request, timeout=WATCH_SECONDS)
        events = list(stream)  # until the gateway ends the stream; raises unless it ends with OK
        self.check("watch: the gateway ends the stream with OK", stream.code() == grpc.StatusCode.OK, stream)
        kinds = [pb.WatchStatusResponse.Event.Name(event.event) for event in events]
        begun = kinds[:2] == ["SNAPSHOT", "SYNCED"] and kinds.count("SYNCED") == 1
        self.check("watch: SNAPSHOT, then SYNCED", begun, kinds)
        points = [event.restore_point for event in events if event.HasField("restore_point")]
        ready = points[-1].name == name and points[-1].state == RestorePoint.READY
        self.check("watch: until READY", ready, points[-1])
        usable = [point.usable for point in points]
        once = usable[-1] and not any(usable[:-1])
        self.check("watch: usable at the end and never before", once, usable)
        percents = [
            point.copy_progress_percent for point in points if point.HasField("copy_progress_percent")
        ]
        rising = percents == sorted(percents) and percents[-1:] == [100]
        self.check("watch: the percentage never decreases", rising, percents)

    def errors(self) -> None:
        code, details = error_of(self.stub.Get, pb.GetRequest(name="backends/azure/no-such-thing"))
        fields = [violation.field for violation in details["BadRequest"].field_violations]
        named = code == grpc.StatusCode.INVALID_ARGUMENT and fields == ["name"]
        self.check("errors: a malformed name names the field", named, (code, details))
        info = details["ErrorInfo"]
        reason = (info.reason, info.domain) == ("INVALID_NAME", "restorepoint.v1")
        self.check("errors: a malformed name has its reason", reason, info)

        elsewhere = "backends/veeam/collections/elsewhere"
        request = pb.CopyRequest(source=self.veeam.name, destination=elsewhere)
        code, details = error_of(self.stub.Copy, request)
        info = details["ErrorInfo"]
        refused = code == grpc.StatusCode.UNIMPLEMENTED and info.reason == "CAPABILITY_NOT_SUPPORTED"
        self.check("errors: a copy at Veeam is not supported", refused, (code, details))
        whose = dict(info.metadata) == {"backend": "veeam", "capability": "copy"}
        self.check("errors: it names the backend and the capability", whose, info)

        absent = f"{self.home.name}/restorePoints/absent"
        code, details = error_of(self.stub.Get, pb.GetRequest(name=absent))
        resource = details["ResourceInfo"].resource_name
        named = code == grpc.StatusCode.NOT_FOUND and resource == absent
        self.check("errors: an absent point is NOT_FOUND and is named", named, (code, details))


    def unix_socket(self, path: str) -> None:
        # The default authority is the path, percent-encoded, which the gateway's HTTP/2 library refuses as malformed.
        options = [("grpc.default_authority", "localhost")]
        with grpc.insecure_channel(f"unix:{path}", options) as channel:
            stub = RestorePointServiceStub(channel)
            response = stub.ListBackends(
                pb.ListBackendsRequest(), timeout=CALL_SECONDS, wait_for_ready=True
            )
        names = [backend.name for backend in response.backends]
        self.check("unix: a call with an authority", names == ["backends/azure"], names)


def all_pages(method, request):
    """Yields every page of a list, each fetched with the token of the previous one."""
    while True:
        page = method(request, timeout=CALL_SECONDS)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def error_of(method, request):
    """Returns the code and the details, by type name, of a call that must fail."""
    try:
        response = method(request, timeout=CALL_SECONDS)
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        if status is None:  # the error has no details
            raise
        details = {}
        for packed in status.details:
            kind = packed.TypeName().rpartition(".")[2]
            details[kind] = getattr(error_details_pb2, kind)()
            packed.Unpack(details[kind])
        return error.code(), details
    raise AssertionError(f"expected an error, not {response}")


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit("usage: client.py HOST:PORT SOCKET")
    _, address, socket = sys.argv
    with grpc.insecure_channel(address) as channel:
        client = Client(RestorePointServiceStub(channel))
        client.run()
    client.unix_socket(socket)
    print(f"python: {client.passed} passed, {client.failed} failed")
    return 1 if client.failed else 0


if __name__ == "__main__":
    sys.exit(main())
