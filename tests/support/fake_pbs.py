#!/usr/bin/env python3
"""Plays a PBS server, for tests: called as qsub, qstat, qdel or qrerun. Its jobs are real processes.

FAKE_PBS names its folder: one folder a job, in it a file for each task with its state, and a file for each wish
(delete, rerun) that the job's own background process sees. A file "down" there makes the server unreachable.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["FAKE_PBS"])
SERVER = "pbs-test"
KILL_AFTER_S = 3


class Job:
    def __init__(self, folder):
        self.folder = folder
        self.number = int(folder.name)
        self.settings = json.loads((folder / "settings").read_text())

    def task_file(self, index):
        return self.folder / f"task{index}"

    def read(self, index):
        return json.loads(self.task_file(index).read_text())

    def write(self, index, **what):
        draft = self.folder / f"draft{index}"
        draft.write_text(json.dumps(what))
        draft.rename(self.task_file(index))

    def indices(self):
        return range(self.settings["tasks"])

    def id_of(self, index):
        return f"{self.number}[{index}].{SERVER}" if self.settings["array"] else f"{self.number}.{SERVER}"

    def id(self):
        return f"{self.number}[].{SERVER}" if self.settings["array"] else f"{self.number}.{SERVER}"


def jobs():
    return [Job(folder) for folder in sorted(ROOT.iterdir()) if folder.name.isdigit()]


def find(word):
    number, index = re.match(r"(\d+)(?:\[(\d*)\])?", word).groups()
    folder = ROOT / number
    if not (folder / "settings").exists():
        print(f"qstat: Unknown Job Id {word}", file=sys.stderr)
        return None, None
    return Job(folder), int(index) if index else None


def parse_script(text):
    settings = {"name": "STDIN", "tasks": 1, "array": False, "cap": 10**9, "walltime": 10**9}
    for line in re.findall(r"^#PBS (.*)$", text, re.M):
        if match := re.fullmatch(r"-N (\S{1,15})", line):
            settings["name"] = match[1]
        elif match := re.fullmatch(r"-J 0-(\d+)", line):
            assert int(match[1]) > 0, "an array of one is refused"
            settings.update(tasks=int(match[1]) + 1, array=True)
        elif match := re.fullmatch(r"-W max_run_subjobs=(\d+)", line):
            settings["cap"] = int(match[1])
        elif match := re.fullmatch(r"-l walltime=(\d+):(\d\d):(\d\d)", line):
            hours, minutes, seconds = map(int, match.groups())
            settings["walltime"] = hours * 3600 + minutes * 60 + seconds
        elif re.fullmatch(r"-q nowhere", line):
            sys.exit("qsub: Unknown queue")
        else:
            assert re.match(r"-(r y|V|j oe|o |l select=|q |A )", line), line
    return settings


def run_job(job):
    """The background process: starts tasks, heeds wishes, until all have ended."""
    running = {}
    while True:
        for index in job.indices():
            if job.read(index)["state"] == "Q" and len(running) < job.settings["cap"]:
                environment = dict(os.environ, PBS_JOBID=job.id_of(index), NCPUS="1")
                if job.settings["array"]:
                    environment["PBS_ARRAY_INDEX"] = str(index)
                process = subprocess.Popen(["bash", job.folder / "script"], env=environment, start_new_session=True,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                running[index] = {"process": process, "began": time.time(), "told": 0, "why": ""}
                job.write(index, state="R")
        for index, task in list(running.items()):
            for wish in ("delete", "rerun"):
                if not task["why"] and (job.folder / f"{wish}{index}").exists():
                    (job.folder / f"{wish}{index}").unlink()
                    task["why"] = wish
            if not task["why"] and time.time() - task["began"] > job.settings["walltime"]:
                task["why"] = "walltime"
            if task["why"] and not task["told"]:
                task["told"] = time.time()
                task["process"].terminate()
            if task["told"] and time.time() - task["told"] > KILL_AFTER_S:
                task["process"].kill()
            code = task["process"].poll()
            if code is None:
                continue
            del running[index]
            if task["why"] == "rerun":
                job.write(index, state="Q")
            else:
                status = {"walltime": -29, "delete": 256 + signal.SIGTERM}.get(task["why"], code)
                job.write(index, state="X" if job.settings["array"] else "F", exit=status)
        for index in job.indices():
            if (job.folder / f"delete{index}").exists() and job.read(index)["state"] == "Q":
                job.write(index, state="X" if job.settings["array"] else "F")
        if not running and all(job.read(index)["state"] in "XF" for index in job.indices()):
            return
        time.sleep(0.05)


def qsub(arguments):
    text = Path(arguments[-1]).read_text()
    settings = parse_script(text)
    folder = ROOT / str(len(jobs()) + 1)
    folder.mkdir()
    (folder / "script").write_text(text)
    (folder / "settings").write_text(json.dumps(settings))
    job = Job(folder)
    for index in job.indices():
        job.write(index, state="Q")
    print(job.id(), flush=True)
    if os.fork() == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        run_job(job)
        os._exit(0)


def print_entry(entry_id, job, state, more=()):
    print(f"Job Id: {entry_id}")
    print(f"    Job_Name = {job.settings['name']}")
    print(f"    job_state = {state}")
    print("    Variable_List = PBS_O_HOME=/home/someone,PBS_O_PATH=/usr/local/bin:/usr/bin:/bin,\n"
          "\tPBS_O_SHELL=/bin/bash,PBS_O_WORKDIR=/somewhere")
    for line in more:
        print(f"    {line}")
    print()


def qstat(arguments):
    wanted = [word for word in arguments if not word.startswith("-")]
    code = 0
    for job in [find(word)[0] for word in wanted] if wanted else jobs():
        if job is None:
            code = 153
            continue
        if job.settings["array"]:
            print_entry(job.id(), job, "B")
        for index in job.indices():
            task = job.read(index)
            print_entry(job.id_of(index), job, task["state"],
                        [f"Exit_status = {task['exit']}"] if "exit" in task else [])
    sys.exit(code)


def wish(what, arguments):
    job, index = find(arguments[0])
    (job.folder / f"{what}{index or 0}").touch()


def main():
    name = Path(sys.argv[0]).name
    if (ROOT / "down").exists():
        sys.exit(f"Connection refused\n{name}: cannot connect to server {SERVER} (errno=15010)")
    if name == "qsub":
        qsub(sys.argv[1:])
    elif name == "qstat":
        qstat(sys.argv[1:])
    elif name == "qdel":
        wish("delete", sys.argv[1:])
    elif name == "qrerun":
        wish("rerun", sys.argv[1:])


main()
