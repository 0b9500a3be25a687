"""What the attacks led to, and the table that shows it."""

import contextlib
import time
import traceback

from faults.processes import Failed

HEAD = ["attack", "what", "the server answered", "memory MiB", "files", "p99 ms", "ratio", "seconds", "result"]
MEMORY_MAX = 64


class Row:
    """One attack while it runs."""

    def __init__(self, name, what):
        self.name, self.what = name, what
        self.answers, self.problems, self.not_run = [], [], None
        # Growth in MiB, open files before and after, the honest client's quiet p99 in seconds and how many times that it was.
        self.growth, self.files, self.quiet, self.ratio = None, None, None, None
        self.seconds, self.sites = 0.0, 0

    def answered(self, text):
        if text not in self.answers:
            self.answers.append(text)

    def problem(self, text):
        self.problems.append(text)
        print(f"  FAIL  {self.name}: {text}", flush=True)

    def must(self, is_right, text):
        """What the server has to do, and what it did if it did not."""
        if not is_right:
            self.problem(text)

    def measured(self, growth, files, quiet, ratio):
        """The worst of a row's servers is what the table shows."""
        self.sites += 1
        if self.growth is None or growth > self.growth:
            self.growth = growth
        if self.files is None or files[1] - files[0] > self.files[1] - self.files[0]:
            self.files = files
        if ratio is not None and (self.ratio is None or ratio > self.ratio):
            self.quiet, self.ratio = quiet, ratio

    @contextlib.contextmanager
    def guarded(self):
        """What goes wrong inside is noted; the rest of the row follows."""
        try:
            yield
        except Failed as failed:
            self.problem(str(failed))
        except (Exception, SystemExit):  # a fault of the script must not pass for an attack that was withstood
            self.problem(traceback.format_exc())

    @property
    def result(self):
        if self.problems:
            return f"FAILED: {self.problems[0].strip().splitlines()[-1][:120]}"
        if self.not_run:
            return f"NOT RUN: {self.not_run}"
        return "held" if self.sites and self.answers else "NOT RUN: it had nothing to run"

    def cells(self):
        number = lambda value, digits=1: "" if value is None else f"{value:.{digits}f}"  # noqa: E731
        files = "" if self.files is None else f"{self.files[0]}, {self.files[1]}"
        quiet = None if self.quiet is None else self.quiet * 1000
        figures = [number(self.growth), files, number(quiet), number(self.ratio), number(self.seconds, 0)]
        return [self.name, self.what, "; ".join(self.answers), *figures, self.result]


def run(row, action, lab):
    """Runs one row, whatever happens in it. What it started and did not end is the caller's to end."""
    print(f"{row.name}: {row.what}", flush=True)
    begin = time.monotonic()
    with row.guarded():
        action(row, lab)
    row.seconds = time.monotonic() - begin
    ratio = "" if row.ratio is None else f", p99 {row.ratio:.1f} times as usual"
    memory = "" if row.growth is None else f", +{row.growth:.1f} MiB"
    print(f"  {row.name}: {row.result} ({'; '.join(row.answers)}{memory}{ratio}, {row.seconds:.0f} s)", flush=True)
    return row


def as_text(rows):
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD) - 1)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(line, widths)), line[-1]]) for line in cells)


def as_markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
