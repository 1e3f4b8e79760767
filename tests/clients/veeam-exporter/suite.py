"""veeam-exporter, a public Prometheus exporter for Enterprise Manager, against the simulated one, with two of the
metrics that it ships and one file in its language that pages through the query service. It reads the JSON of release 12 only.

    suite.py        reads ACCESS and CA from the environment, and writes to WORK
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from checks import Checks, access

HERE = Path(__file__).resolve().parent
PAGE_SIZE = 50
KNOWN = "urn:veeam:CloudVmReplicaPoint:93081441-6e3c-4584-b47a-08dc1ce24f84"


class Suite(Checks):
    def __init__(self) -> None:
        super().__init__("veeam-exporter")
        self.em = access("veeam")

    def scrape(self, password: str) -> tuple[dict[str, list], list[str]]:
        """Runs the exporter once, and returns its samples by name and the tasks that it ran."""
        where = urlsplit(self.em["url"])
        work = Path(os.environ["WORK"])
        configuration = work / "configuration.yml"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"""
veeams:
  - host: {where.hostname}
    port: {where.port}
    user: '{self.em["username"]}'
    password: '{password}'
    verify_ssl: true
    keep_session: false
logger: {{level: info, facility: {work}/log}}
weblisten: {{address: 127.0.0.1, port: 9247}}
metrics_file:
  - conf/metrics/repositories_metrics.yml
  - conf/metrics/backup_servers_metrics.yml
  - {HERE}/points_metrics.yml
"""
        )
        program = Path(sys.executable).with_name("veeam_exporter")
        done = subprocess.run(
            [program, "--dry_mode", "--verbose", "--config_file", configuration],
            env={**os.environ, "REQUESTS_CA_BUNDLE": os.environ["CA"]},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        # Other lines are not looked at: one of them holds the password.
        lines = [line.partition("level=DEBUG - ")[2] for line in done.stdout.splitlines()]
        exposed = [line for line in lines if line.startswith(("veeam_em_", "suite_"))]
        samples: dict[str, list] = {}
        for family in text_string_to_metric_families("\n".join(exposed) + "\n"):
            samples.setdefault(family.name, []).extend(family.samples)
        return samples, [line for line in lines if line.startswith("task: ")]

    def collect(self) -> None:
        samples, tasks = self.scrape(self.em["password"])
        up = [sample.value for sample in samples["veeam_em_up"]]
        self.check("logon: up", up == [1.0], up)
        stores = samples["veeam_em_overview_repositories_capacity_total_bytes"]
        sizes = {store.labels["type"]: store.value for store in stores}
        known = sizes.pop("WinLocal", 0) > 0 and all(size == -1 for size in sizes.values())
        self.check("repositories: their sizes, and -1 where there is none", known, stores)
        servers = samples["veeam_em_backup_servers_config"]
        ports = [server.labels["port"] for server in servers]
        self.check("backup servers: their ports", ports and all(p.isdecimal() for p in ports), servers)

        points = samples["suite_point"]
        pages = tasks.count("task: read one page.")
        whole = (pages - 1) * PAGE_SIZE < len(points) <= pages * PAGE_SIZE
        self.check("points: all pages, each full but the last", pages > 2 and whole, (pages, len(points)))
        uids = [point.labels["uid"] for point in points]
        self.check("points: none twice", len(set(uids)) == len(uids), len(uids))
        known = [point for point in points if point.labels["uid"] == KNOWN]
        one = known and (known[0].labels["vm"], known[0].labels["state"], known[0].value)
        self.check("points: the one from the vendor's documentation", one == ("srv39", "Ready", 1451073647.0), one)
        states = {point.labels["state"] for point in points}
        self.check("points: in several states", states >= {"Ready", "Failover"}, states)

    def wrong_password(self) -> None:
        samples, _ = self.scrape("wrong")
        up = [sample.value for sample in samples["veeam_em_up"]]
        self.check("logon: down with a wrong password", up == [0.0] and len(samples) == 1, samples)


if __name__ == "__main__":
    suite = Suite()
    sys.exit(suite.run(suite.collect, suite.wrong_password))
