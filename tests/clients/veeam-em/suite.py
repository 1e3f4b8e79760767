"""veeam-em, a public client of Enterprise Manager (University of Toronto), against the simulated one. It logs on, lists,
queries, follows the links from page to page, and reads errors, in the JSON of release 12, for which it was written; then
in the JSON of release 13, which it cannot read, and in XML, which has not changed.

    suite.py        reads ACCESS, CA, ACCESS_13 and CA_13 from the environment
"""

import os
import sys
from xml.etree import ElementTree

from requests import HTTPError
from veeam_em.exceptions import VeeamEmError
from veeam_em.manager import VeeamEm

from checks import Checks, access

NAMESPACE = "{http://www.veeam.com/ent/v1.0}"
QUERY = {"type": "CloudVmReplicaPoint", "format": "Entities", "sortDesc": "CreationTime"}
KNOWN = "93081441-6e3c-4584-b47a-08dc1ce24f84"


def client(em: dict, trusted: str) -> VeeamEm:
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ[trusted]  # the client has no option for it
    return VeeamEm(api_endpoint=em["url"].removesuffix("/api"))


def has_status(status: int):
    return lambda error: str(error).startswith(f"status: {status};")


class Suite(Checks):
    def __init__(self) -> None:
        super().__init__("veeam-em")
        os.environ.pop("VEEAMEM_API_TOKEN", None)
        self.old = access("veeam")
        self.em = client(self.old, "CA")

    def log_on(self) -> None:
        wrong = client(self.old, "CA")
        self.refused(
            "logon: a wrong password",
            lambda: wrong.get_token(self.old["username"], "wrong"),
            HTTPError,
            lambda error: error.response.status_code == 401,
        )
        token = self.em.get_token(self.old["username"], self.old["password"])
        session = self.em.session_data
        self.check("logon: a token", bool(token), "none")
        self.check("logon: the user", session["UserName"] == self.old["username"], session)
        self.check("logon: the session is alive", self.em.whoami()["SessionId"] == session["SessionId"], session)
        alive = [one["SessionId"] for one in self.em.get_logon_sessions()]
        self.check("logon: among the sessions", session["SessionId"] in alive, alive)

    def lists(self) -> None:
        replicas = VeeamEm._process_collection(self.em.request("/cloud/replicas")["Refs"])
        self.check("list: references", replicas and all(one["UUID"] for one in replicas), replicas)
        servers = self.em.request("/backupServers", params={"format": "Entity"})["BackupServers"]
        self.check("list: entities", servers and all(one["Port"] > 0 for one in servers), servers)
        roots = self.em.get_hierarchy_roots()
        same = self.em.get_hierarchy_root(roots[0]["UUID"])["UID"] == roots[0]["UID"]
        self.check("list: hypervisors, and one of them", same, roots)
        below = self.em.request(f"/cloud/replicas/{replicas[0]['UUID']}/vmReplicaPoints")["Refs"]
        kinds = {one["Type"] for one in below}
        self.check("list: the points of one replica", kinds == {"CloudVmReplicaPointReference"}, kinds)

    def query(self) -> None:
        reply = self.em.request("/query", params=QUERY)
        self.check("query: a hundred a page, though none were requested", reply["PagingInfo"]["PageSize"] == 100)
        named = set(reply["Entities"])
        others = {name for name in named if name != "CloudVmReplicaPoints" and reply["Entities"][name]}
        self.check("query: every list is named, one is filled", len(named) == 50 and not others, others)
        pages = [reply]
        # As the client's own queries do: by the link, unchanged.
        while following := [link for link in pages[-1]["PagingInfo"]["Links"] if link["Rel"] == "Next"]:
            pages.append(self.em.request(following[0]["Href"]))
        count = reply["PagingInfo"]["PagesCount"]
        self.check("query: as many pages as PagesCount", len(pages) == count and count > 2, (len(pages), count))
        points = [point for page in pages for point in self.points(page)]
        uids = {point["UID"] for point in points}
        self.check("query: no point twice", len(uids) == len(points) > 100, (len(uids), len(points)))
        times = [point["CreationTimeUTC"].removesuffix("Z").ljust(26, ".") for point in points]
        self.check("query: newest first", times == sorted(times, reverse=True), times[:3])
        ready = self.em.request("/query", params={**QUERY, "filter": 'State=="Ready"', "pageSize": 10_000})
        ready = self.points(ready)
        expected = [point["UID"] for point in points if point["State"] == "Ready"]
        same = [point["UID"] for point in ready] == expected
        self.check("query: filtered", same and len(expected) < len(points), len(ready))
        sessions = self.em.get_backup_task_sessions(page_size=5)
        self.check("query: the type that the client has a method for", sessions == [], sessions)

    @staticmethod
    def points(reply: dict) -> list[dict]:
        return reply["Entities"]["CloudVmReplicaPoints"]["CloudVmReplicaPoints"]

    def get(self) -> None:
        point = self.em.request(f"/cloud/vmReplicaPoints/{KNOWN}", params={"format": "Entity"})
        self.check("get: one entity", VeeamEm._get_uuid_from_uid(point["UID"]) == KNOWN, point)
        self.check("get: its state", point["State"] == "Ready", point)
        self.check("get: its links", {"Up", "Alternate"} == {link["Rel"] for link in point["Links"]}, point["Links"])

    def refusals(self) -> None:
        nothing = KNOWN.replace("9", "0")
        self.refused(
            "refusal: no such point",
            lambda: self.em.request(f"/cloud/vmReplicaPoints/{nothing}"),
            VeeamEmError,
            has_status(404),
        )
        self.refused(
            "refusal: a malformed filter",
            lambda: self.em.request("/query", params={**QUERY, "filter": "State=="}),
            VeeamEmError,
            has_status(400),
        )
        self.refused(
            "refusal: points cannot be deleted",
            lambda: self.em.request(f"/cloud/vmReplicaPoints/{KNOWN}", method=VeeamEm.DELETE),
            VeeamEmError,
            has_status(405),
        )

    def log_off(self) -> None:
        session = self.em.session_data["SessionId"]
        gone = self.em.request(f"/logonSessions/{session}", method=VeeamEm.DELETE)
        self.check("logoff: no content", gone["status"] == 204, gone["status"])
        self.refused(
            "logoff: the token is no longer valid",
            lambda: self.em.request("/backupServers"),
            VeeamEmError,
            has_status(401),
        )

    def release_13(self) -> None:
        """Names in JSON begin in lower case, which this client cannot read; XML has not changed."""
        known = access("veeam", of="ACCESS_13")
        em = client(known, "CA_13")
        self.refused(
            "release 13: the session's members are not found",
            lambda: em.get_token(known["username"], known["password"]),
            VeeamEmError,
            lambda error: "Could not generate token" in str(error),
        )
        reply = em.request("/query", params={**QUERY, "pageSize": 5})
        self.check("release 13: the same JSON, in lower camel case", reply["pagingInfo"]["pageSize"] == 5, reply["pagingInfo"])
        em._default_content_type = em.content_type = "application/xml"
        reply = em.request("/query", params={**QUERY, "pageSize": 5})
        root = ElementTree.fromstring(reply["data"])
        self.check("release 13: XML has the names of release 12", root.tag == f"{NAMESPACE}QueryResult", root.tag)
        items = root.findall(f"{NAMESPACE}Entities/{NAMESPACE}CloudVmReplicaPoints/*")
        kinds = {(item.tag, item.get("Type")) for item in items}
        odd = {(f"{NAMESPACE}CloudReplica", "CloudVmReplicaPoint")}
        self.check("release 13: points under the name of replicas", len(items) == 5 and kinds == odd, kinds)
        paging = root.find(f"{NAMESPACE}PagingInfo")
        following = paging.find(f"{NAMESPACE}Links/{NAMESPACE}Link[@Rel='Next']").get("Href")
        second = ElementTree.fromstring(em.request(following)["data"])
        self.check("release 13: the next page", second.find(f"{NAMESPACE}PagingInfo").get("PageNum") == "2")


if __name__ == "__main__":
    suite = Suite()
    sys.exit(
        suite.run(
            suite.log_on,
            suite.lists,
            suite.query,
            suite.get,
            suite.refusals,
            suite.log_off,
            suite.release_13,
        )
    )
