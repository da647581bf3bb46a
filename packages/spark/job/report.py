"""What the job tells the program that started it: one JSON object a line, marked, on standard output."""

import contextlib
import json
import os
import threading
import time

MARK = "@seesaw "
POLL_SECONDS = 0.5

_lock = threading.Lock()


class JobError(Exception):
    """Something the user can mend; `code` is one of the package's error codes."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def say(event, **fields):
    with _lock:
        print(MARK + json.dumps({"event": event, **fields}), flush=True)


class Phases:
    """Names what Spark is at. A thread asks the status tracker how far it is, and ends the job when its starter is gone."""

    def __init__(self, context, starter, iterations):
        self.context = context
        self.starter = starter
        self.iterations = iterations
        self.name = "start"
        self.began = time.monotonic()
        self.seconds = {}
        self.done = threading.Event()
        self.last = None
        threading.Thread(target=self._watch, daemon=True).start()

    def enter(self, name):
        self.finish()
        self.name = name
        self.began = time.monotonic()
        # Jobs are found by their group; phases of several runs in one session must not share one.
        self.group = f"{name} {self.began}"
        self.context.setJobGroup(self.group, name)
        say("progress", phase=name, done=0, seconds=0)

    def finish(self):
        now = time.monotonic()
        self.seconds[self.name] = round(self.seconds.get(self.name, 0) + now - self.began, 3)
        self.began = now

    def close(self):
        self.finish()
        self.done.set()

    def _watch(self):
        while not self.done.wait(POLL_SECONDS):
            if self.starter and not alive(self.starter):
                os._exit(1)
            with contextlib.suppress(Exception):  # The session may be closed by now; the starter is watched on.
                self._tell()

    def _tell(self):
        if self.name == "start":
            return
        tracker = self.context.statusTracker()
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(self.group)]
        jobs = [job for job in jobs if job is not None]
        if self.name == "train":
            # MLlib runs 3 jobs before the first iteration, one for each half-sweep, and 2 at the end.
            finished = sum(job.status == "SUCCEEDED" for job in jobs)
            done, total = min(self.iterations, max(0, finished - 3) / 2), self.iterations
        else:
            stages = [tracker.getStageInfo(stage) for job in jobs if job.status == "RUNNING" for stage in job.stageIds]
            stages = [stage for stage in stages if stage is not None]
            done = sum(stage.numCompletedTasks for stage in stages)
            total = sum(stage.numTasks for stage in stages)
        if (self.name, done, total) == self.last:
            return
        self.last = (self.name, done, total)
        say("progress", phase=self.name, done=done, total=total, seconds=round(time.monotonic() - self.began, 2))


def alive(process):
    try:
        os.kill(process, 0)
        return True
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
