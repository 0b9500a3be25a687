"""The README's table of types and of exceptions, and docs/roundtrip.md with every case, from the results of a run."""

import collections
import re

import reasons
from outcomes import case_and_protocol, outcome

BEGIN, END = "<!-- written by scripts/corpus/roundtrip.py --bless -->", "<!-- end -->"


def arrow_text(kinds):
    """Arrow types of a row, without what differs only by a number."""
    short = {re.sub(r"fixed_size_list<(item|element): (.+)>\[\d+\]", r"fixed list of \2", kind) for kind in kinds}
    short = {re.sub(r"(large_)?list<(item|element): (.+)>", r"list of \3", kind) for kind in short}
    short = {kind.replace(" not null", "") for kind in short}
    ordered = sorted(short, key=lambda kind: (len(kind), kind))
    return ", ".join(f"`{kind}`" for kind in ordered[:4]) + (", …" if len(ordered) > 4 else "")


def rows(results, row_of):
    """`{row: (Arrow types, files, equal files, outcomes)}` in the order of the cases."""
    found = {}
    for result in results.values():
        for file, tables in result["files"].items():
            case, _ = case_and_protocol(file)
            row = row_of.get(case)
            if row is None:
                continue
            kinds, files, equal, outcomes = found.setdefault(row, (set(), [0], [0], collections.Counter()))
            files[0] += 1
            said, _ = outcome(case, tables)
            equal[0] += said is None
            outcomes[said] += 1
            for table in tables:
                kinds.update(table.get("arrow", [])[:1])
    order = list(dict.fromkeys(row_of.values()))
    return {row: found[row] for row in order if row in found}


def verdict(equal, files, outcomes):
    if equal == files:
        return "equal"
    names = [name for said in outcomes if said and " " in said for name in [said]]
    return f"equal in {equal:,} of {files:,}; " + "; ".join(sorted(names)) if equal else "; ".join(sorted(names))


def readme(results, row_of):
    """The section between the two marks."""
    files = sum(len(result["files"]) for result in results.values())
    lines = [BEGIN, "", f"Of {files:,} files of pandas {', '.join(results)}, at protocols 0 to 5:", ""]
    lines += ["| pandas | Arrow | `read_parquet` against `read_pickle` |", "|---|---|---|"]
    for row, (kinds, count, equal, outcomes) in rows(results, row_of).items():
        lines.append(f"| {row} | {arrow_text(kinds) or 'none'} | {verdict(equal[0], count[0], outcomes)} |")
    lines += ["", "What is not equal, and why ([docs/roundtrip.md](docs/roundtrip.md) lists every file):", "", "| | files | |", "|---|---:|---|"]
    lines += [f"| {said} | {count:,} | {text} |" for said, count, text in exceptions(results)]
    return "\n".join([*lines, "", END])


def exceptions(results):
    """(name, number of files, sentence) for each reason that occurs."""
    counts = collections.Counter()
    for result in results.values():
        for file, tables in result["files"].items():
            said, _ = outcome(case_and_protocol(file)[0], tables)
            if said and " " in said:
                kind, names = said.split(" ", 1)
                counts.update((kind, name) for name in names.split(", "))
    for name, text in reasons.LOSSES.items():
        if counts["losses", name]:
            yield name, counts["losses", name], text
    for name, (text, _, _) in reasons.REFUSALS.items():
        if counts["refused", name]:
            yield f"refused: {name}", counts["refused", name], text


def document(lines):
    """docs/roundtrip.md: every line of exceptions.txt with what it means."""
    text = [
        "# What does not come back as it was",
        "",
        "Every file of the corpus (`scripts/corpus`) that brine converts and pandas then reads as something other than what it would",
        "have unpickled, and every one that is refused. Whatever is not listed is equal: values, types, index, labels. Written by",
        "`scripts/corpus/roundtrip.py --bless`, and checked by every run of `scripts/test`.",
        "",
        "| case | pandas | protocols | |",
        "|---|---|---|---|",
    ]
    text += ["| " + " | ".join(part.strip() for part in line.split("|")) + " |" for line in lines]
    text += ["", "| name | means |", "|---|---|"]
    text += [f"| {name} | {said} |" for name, said in reasons.LOSSES.items()]
    text += [f"| refused {name} | {said} |" for name, (said, _, _) in reasons.REFUSALS.items()]
    return "\n".join(text) + "\n"


def replaced(text, section):
    """The README with the section put between the marks, or None if they are not there."""
    if BEGIN not in text or END not in text:
        return None
    before, rest = text.split(BEGIN, 1)
    return before + section + rest.split(END, 1)[1]
