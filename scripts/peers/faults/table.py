"""What the rows of the matrix found, and the table that shows it."""

import contextlib
import statistics
import time
import traceback

from faults.processes import Failed, end_all

RESENT_MAX = 16 << 20
# Usually, and ever.
RESUME_MEDIAN, RESUME_MAX = 1.0, 2.0
HEAD = ["id", "fault", "runs", "lost", "doubled", "resent MiB", "resume s", "seconds", "result"]


class Row:
    """One row while it runs."""

    def __init__(self, name, fault):
        self.name, self.fault = name, fault
        self.runs = self.lost = self.doubled = 0
        self.resent, self.resume, self.problems, self.counts = None, None, [], {}
        self.resumes = []
        self.not_run, self.seconds = None, 0.0

    @contextlib.contextmanager
    def run(self, what, ending=True):
        """One run: what goes wrong in it is noted, and the next run follows; processes live on if not `ending`."""
        self.runs += 1
        before = len(self.problems)
        try:
            yield
        except Failed as failed:
            self.problem(what, str(failed))
        except (Exception, SystemExit):  # a fault of the script must not pass for a run that passed
            self.problem(what, traceback.format_exc())
        finally:
            if ending:
                end_all()
        if len(self.problems) == before:
            return
        for problem in self.problems[before:]:
            print(f"  FAIL  {self.name} {problem}", flush=True)

    def problem(self, what, text):
        self.problems.append(f"{what}: {text}")

    def check(self, what, is_right, text):
        if not is_right:
            self.problem(what, text)

    def compare(self, what, difference):
        """Adds what a table lacks or has twice."""
        self.lost += difference.lost
        self.doubled += difference.doubled
        if text := difference.text():
            self.problem(what, text)

    def sent_again(self, what, count, per=1):
        """Bytes that went over the wire more than once, for each of `per` faults."""
        each = count / max(per, 1)
        self.resent = max(self.resent or 0, each)
        self.check(what, each <= RESENT_MAX, f"{each:.0f} bytes were sent again")

    def count(self, what, number=1):
        """Faults that were made, or what they led to, summed over the runs."""
        self.counts[what] = self.counts.get(what, 0) + number

    def resumed(self, what, seconds, most=RESUME_MAX):
        if seconds is None:
            return
        self.resume = max(self.resume or 0, seconds)
        self.resumes.append(seconds)
        self.check(what, seconds <= most, f"resumed after {seconds:.2f} s, {most} s were allowed")

    def usually_resumed(self, what, most=RESUME_MEDIAN):
        median = statistics.median(self.resumes) if self.resumes else 0
        self.check(what, median <= most, f"resumed after {median:.2f} s as a rule, {most} s were allowed")

    @property
    def result(self):
        if self.not_run:
            return f"NOT RUN: {self.not_run}"
        if self.problems:
            return f"FAILED ({len(self.problems)})"
        return "passed" if self.runs else "NOT RUN: it had nothing to run"

    def cells(self):
        number = lambda value, unit=1: "" if value is None else f"{value / unit:.2f}"  # noqa: E731
        counts = ["", "", ""] if self.not_run else [str(self.runs), str(self.lost), str(self.doubled)]
        notes = [f"{count} {what}" for what, count in self.counts.items()]
        times = [number(self.resent, 1 << 20), number(self.resume), f"{self.seconds:.0f}"]
        return [self.name, self.fault, *counts, *times, "; ".join([self.result, *notes])]


def measured(row, action, lab):
    """Runs one row, whatever happens in it."""
    print(f"{row.name}: {row.fault}", flush=True)
    begin = time.monotonic()
    try:
        action(row, lab)
    except (Exception, SystemExit):
        row.problem("the row", traceback.format_exc())
        print(row.problems[-1], flush=True)
    end_all()
    row.seconds = time.monotonic() - begin
    print(f"  {row.result} ({row.runs} runs, {row.seconds:.0f} s)", flush=True)
    return row


def as_text(rows):
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD) - 1)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(line, widths)), line[-1]]) for line in cells)


def as_markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
