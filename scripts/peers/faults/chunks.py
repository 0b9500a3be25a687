"""F10: chunks that come twice, too early, not at all, across each other, or changed, from a client written in Python.

A model of a few lines says what the server must answer to each; it is told nothing of the server's answers.
"""

import contract
from faults import oracles, recording
from faults.processes import channel_to, stub

SEQUENCES = 200
ROWS = 600


class Model:
    """Where the session stands after each message, and what must be answered."""

    def __init__(self, total):
        self.total, self.rows, self.duplicates, self.answers = total, 0, 0, []

    def take(self, first, count, is_right):
        end = first + count
        if end > self.total:
            return self.answers.append(("ROW_INVALID or none", None))
        if end <= self.rows:
            self.duplicates += count
        elif first != self.rows:
            self.answers.append(("OFFSET_GAP", self.rows))
        elif not is_right:
            self.answers.append(("CHUNK_CORRUPT", self.rows))
        else:
            self.rows = end
        return None


def changed(chunk, how, random):
    """A chunk whose header no longer tells what it carries."""
    base, _ = contract.stubs()
    copy = base.IngestDataRequest()
    copy.CopyFrom(chunk)
    rows = copy.recruit_chunk.rows
    if how == "digest":
        digest = bytearray(copy.header.range_digest)
        digest[random.randrange(len(digest))] ^= 1 << random.randrange(8)
        copy.header.range_digest = bytes(digest)
    elif how == "row lost":
        del rows[random.randrange(len(rows))]
    elif how == "rows swapped":
        first, second = base.RecruitRow(), base.RecruitRow()
        first.CopyFrom(rows[0]), second.CopyFrom(rows[-1])
        rows[0].CopyFrom(second), rows[len(rows) - 1].CopyFrom(first)
    else:
        vector = rows[random.randrange(len(rows))].vector
        vector[random.randrange(len(vector))] += 1.0
    return copy


CHANGES = ("digest", "row lost", "rows swapped", "one float")


def sequence(fine, coarse, random, model):
    """Messages that a confused client might send, made so that the model always reaches the end."""
    while model.rows < model.total:
        at = model.rows
        right = next(chunk for chunk in random.sample([fine, coarse], 2) + [fine] if starts(chunk, at))
        right = next(chunk for chunk in right if chunk.header.first_row == at)
        other = random.choice(random.choice((fine, coarse)))
        kind = random.choice(("right", "right", "right", "any", "any", "changed"))
        chunk, is_right = (right, True) if kind == "right" else (other, True)
        if kind == "changed":
            chunk, is_right = changed(right, random.choice(CHANGES), random), False
        model.take(chunk.header.first_row, chunk.header.row_count, is_right)
        yield chunk


def starts(chunks, row):
    return any(chunk.header.first_row == row for chunk in chunks)


def mutations(row, lab):
    """F10: generated sequences, each a session of its own into one table."""
    part = ("--rows", f"0..{ROWS}")
    fine, coarse = (recording.record(lab, lab.small, rows, *part) for rows in (50, 75))
    run = lab.run()
    run.server.start()
    with channel_to(run.server.port) as channel:
        for number in range(SEQUENCES * (5 if lab.long else 1)):
            with row.run(f"sequence {number}", ending=False):
                one(row, lab, f"sequence {number}", stub(channel), fine, coarse)
        with row.run("the table at the end"):
            run.server.stop()
            for stored in oracles.read(run.store).values():
                row.compare("the table at the end", oracles.Difference(lab.small.expected[:ROWS], stored))
            run.quiet(row, "the server's log")


def one(row, lab, what, calls, fine, coarse):
    pb, _ = contract.stubs("ingest_session")
    base, _ = contract.stubs()
    opened = pb.OpenRequest()
    opened.CopyFrom(fine.opened)
    opened.hello.session_id = lab.random.randbytes(16)
    at = calls.Open(opened, timeout=30).at
    hello = base.SessionHello()
    hello.CopyFrom(fine.hello)
    hello.session_id, hello.epoch = opened.hello.session_id, at.epoch
    model = Model(hello.total_rows)
    messages = list(sequence(fine.chunks, coarse.chunks, lab.random, model))
    requests = [pb.AppendRequest(start=hello), *(pb.AppendRequest(chunk=chunk) for chunk in messages)]
    acks = list(calls.Append(iter(requests), timeout=60))
    judge(row, what, model, acks)
    commit = pb.CommitRequest(session_id=hello.session_id, epoch=at.epoch, total_rows=hello.total_rows, fingerprint=hello.fingerprint)
    for _ in range(2):
        state = calls.Commit(commit, timeout=60).at.state
        row.check(what, state == base.SESSION_STATE_FINALIZED, f"the commit led to state {state}")
    row.count("chunks", len(messages))
    row.count("refusals", len(model.answers))


def judge(row, what, model, acks):
    """Refusals in the order of the messages, and positions that never fall and end at the model's."""
    pb, _ = contract.stubs("ingest_session")
    errors = [ack.error for ack in acks if ack.HasField("error")]
    said = [(pb.Reason.Name(error.reason).removeprefix("REASON_"), error.expected_row) for error in errors]
    row.check(what, said == model.answers, f"expected {model.answers[:5]} …, was told {said[:5]} …")
    positions = [ack.committed.committed_rows for ack in acks if ack.HasField("committed")]
    row.check(what, positions == sorted(positions), f"positions fell: {positions}")
    row.check(what, positions[-1:] == [model.rows], f"ended at {positions[-1:]} rows, not at {model.rows}")
    skipped = [ack.committed.duplicate_rows_skipped for ack in acks if ack.HasField("committed")][-1:]
    row.check(what, skipped == [model.duplicates], f"{skipped} rows were skipped, not {model.duplicates}")
