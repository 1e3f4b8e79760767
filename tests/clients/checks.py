"""Shared by the suites in Python: access to the simulated vendors, and counted checks."""

import json
import os
import time


def access(vendor: str, of: str = "ACCESS") -> dict:
    """Addresses and credentials of a simulated vendor, from the file that the variable `of` names."""
    with open(os.environ[of]) as file:
        return json.load(file)[vendor]


class Checks:
    def __init__(self, name: str) -> None:
        self.name = name
        self.passed = 0
        self.failed = 0

    def check(self, what: str, ok: object, why: object = "") -> None:
        if ok:
            self.passed += 1
            print(f"ok   {what}")
        else:
            self.failed += 1
            print(f"FAIL {what}: {why}")

    def refused(self, what: str, call, kind: type, holds) -> None:
        """Checks that `call` raises exactly this type of exception and that `holds` is true of it."""
        try:
            got = call()
        except Exception as error:
            ok = type(error) is kind and holds(error)
            self.check(what, ok, f"{type(error).__name__}: {error}")
        else:
            self.check(what, False, f"not refused: {got}")

    def run(self, *steps) -> int:
        """Runs each step, where an unexpected exception is one failed check, and returns the exit code."""
        for step in steps:
            try:
                step()
            except Exception as error:
                self.check(step.__name__, False, repr(error))
        print(f"{self.name}: {self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def until(seconds: float, read, done):
    """Reads until `done` is true of a reading or the time is up, and returns all readings."""
    end = time.monotonic() + seconds
    readings = [read()]
    while not done(readings[-1]) and time.monotonic() < end:
        time.sleep(0.1)
        readings.append(read())
    return readings
