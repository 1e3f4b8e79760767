#!/usr/bin/env python3
"""Runs the commands of README.md and docs/ and compares what they print with what the page shows.

    .ci/check_docs.py [FILE...]        check all pages, or these
    .ci/check_docs.py --update FILE    put what each command prints into the page, where that differs

A block ```console holds commands after `$ ` (continued after `> `), each followed by its output, standard error
included. All commands of a page run in one shell at the top of the clone. In the output, `[..]` stands for any
characters of a line and a line `...` for any lines. A command that ends with ` &` keeps running; its output is awaited.
A block ```toml is checked as a configuration, together with a backend if it has none. Names of files in backticks (NAME
stands for a name) and links between pages must exist. Blocks of any other kind are not run: sh is not allowed, so that no command is unchecked.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GATEWAY = ROOT / "target/release/restore-point-gateway"
TIMEOUT = 300
# What other steps of CI run, or what would leave this machine.
NOT_RUN = re.compile(r"cargo (build|test|bench)\b|tests/clients/run\b|fuzz/run\b|\.ci/")
BACKEND = """
[backends.checked]
kind = "azure"
subscription_id = "00000000-0000-0000-0000-000000000000"
[backends.checked.credential]
kind = "azure_cli"
"""


def blocks(text):
    """The fenced blocks of a page: (language, line number, lines)."""
    language, start, lines = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if language is None:
            if match := re.match(r"```(\w*)$", line):
                language, start, lines = match.group(1), number, []
        elif line == "```":
            yield language, start, lines
            language = None
        else:
            lines.append(line)


class Command:
    """A command of a console block, and the lines that it is expected to print."""

    def __init__(self, text, line):
        self.text = text
        self.line = line
        # The numbers of its first line of output, and of the line after its last one.
        self.output = self.end = line + 1
        self.expected = []


def commands(start, lines):
    """The commands of a console block that starts on this line."""
    found = []
    for number, line in enumerate(lines, start + 1):
        if line.startswith("$ "):
            found.append(Command(line[2:], number))
        elif line.startswith("> ") and found and not found[-1].expected:
            found[-1].text += f"\n{line[2:]}"
            found[-1].output = found[-1].end = number + 1
        elif found:
            found[-1].expected.append(line.rstrip())
            found[-1].end = number + 1
        else:
            raise ValueError(f"output before any command: {line!r}")
    return found


def pattern(expected):
    """The expected lines as a regular expression over the whole output."""
    parts = []
    for line in expected:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(map(re.escape, line.split("[..]"))) + r" *\n")
    return re.compile("".join(parts))


class Shell:
    """One shell for all commands of a page."""

    MARK = "--end-of-command--"

    def __init__(self, folder):
        self.folder = folder
        self.background = 0
        environment = dict(os.environ, PATH=f"{tool_path()}:{os.environ['PATH']}", NO_COLOR="1")
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command, expected):
        if command.endswith(" &"):
            return self.run_in_background(command[:-2], expected)
        self.write(f"{command}\necho; echo {self.MARK}\n")
        output = []
        signal.alarm(TIMEOUT)
        for line in self.process.stdout:
            if line.rstrip() == self.MARK:
                break
            output.append(line.rstrip() + "\n")
        signal.alarm(0)
        # The line end that makes the mark a line of its own.
        if output and output[-1] == "\n":
            output.pop()
        return "".join(output)

    def run_in_background(self, command, expected):
        self.background += 1
        log = Path(self.folder) / f"background-{self.background}"
        log.touch()
        self.write(f"{command} >{log} 2>&1 &\n")
        deadline = time.monotonic() + TIMEOUT
        while not pattern(expected).fullmatch(log.read_text()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return log.read_text()

    def write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def tool_path():
    """The folders of grpcurl and jq, which `.ci/tools` installs."""
    script = ["bash", "-ec", "source .ci/tools; grpcurl_folder; jq_folder"]
    found = subprocess.run(script, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return ":".join(found.stdout.split())


def differences(text):
    """The commands of a page that print something else than the page shows: (command, output)."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(folder)
        try:
            for language, line, lines in blocks(text):
                if language != "console":
                    continue
                for command in commands(line, lines):
                    if NOT_RUN.match(command.text):
                        continue
                    output = shell.run(command.text, command.expected)
                    if not pattern(command.expected).fullmatch(output):
                        found.append((command, output))
        finally:
            shell.close()
    return found


def check_console(page, text):
    problems = []
    for language, line, _ in blocks(text):
        if language == "sh":
            problems.append(f"{page}:{line}: write ```console, so that the commands are run")
    for command, output in differences(text):
        expected = "\n".join(command.expected)
        problems.append(
            f"{page}:{command.line}: $ {command.text}\n"
            f"--- the page shows\n{expected}\n--- the command prints\n{output}"
        )
    return problems


def update(page):
    lines = (ROOT / page).read_text().splitlines()
    for command, output in reversed(differences("\n".join(lines))):
        lines[command.output - 1 : command.end - 1] = output.splitlines()
    (ROOT / page).write_text("\n".join(lines) + "\n")


def check_configurations(page, text):
    problems = []
    for language, line, lines in blocks(text):
        if language != "toml":
            continue
        snippet = "\n".join(lines)
        if not re.search(r"^\[backends\.[^.\]]+\]$", snippet, re.MULTILINE):
            snippet += BACKEND
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(snippet)
            file.flush()
            checked = subprocess.run(
                [GATEWAY, "check", "--config-only", "--config", file.name],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if checked.returncode != 0:
            problems.append(f"{page}:{line}: {checked.stdout}")
    return problems


def check_references(page, text):
    problems = []
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, anchor = target.partition("#")
        if re.match(r"\w+:", target):
            continue
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists():
            problems.append(f"{page}: the link {target} leads nowhere")
        elif anchor and anchor not in anchors(file.read_text()):
            problems.append(f"{page}: {target}: there is no such heading")
    folders = "src|tests|docs|proto|sandbox|benches|fuzz|watch|server|service|upstream|backend"
    for name in re.findall(rf"`((?:\.ci|{folders})/[\w./-]*)`", prose):
        if "NAME" not in name and not any((ROOT / base / name).exists() for base in ("", "src")):
            problems.append(f"{page}: `{name}` does not exist")
    return problems


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def main(arguments):
    if arguments[:1] == ["--update"]:
        for page in arguments[1:]:
            update(page)
        return
    pages = arguments
    if not pages:
        pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        pages += sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))
    problems = []
    for page in pages:
        text = (ROOT / page).read_text()
        problems += check_console(page, text)
        problems += check_configurations(page, text)
        problems += check_references(page, text)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
