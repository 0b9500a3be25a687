"""From results of files to outcomes of cases: what is known, what is new, and what is no longer so.

`exceptions.txt` lists every case that does not come back equal, one line for each outcome:

    CASE | VERSIONS of pandas | PROTOCOLS | OUTCOME

where VERSIONS and PROTOCOLS are lists, or `all` that there are files of, and OUTCOME is `losses NAME, ...` or `refused NAME` as in
reasons.py. It is written by `roundtrip --bless` and read by people; every line of it must be true of the run.
"""

import collections
import re

import reasons

FAULT = "fault"


def case_and_protocol(file):
    found = re.fullmatch(r"(.+)\.p(\d)\.pkl", file)
    return found[1], int(found[2])


def outcome(case, tables):
    """One outcome for a file: the worst of its tables. Equal is None."""
    losses, refused = [], []
    for table in tables:
        if table["result"] == "losses":
            losses += table["losses"]
        elif table["result"] == "refused":
            name = reasons.refusal(case, table["why"])
            if name is None:
                return FAULT, table["why"].split("caused by: ")[-1]
            refused.append(name)
        elif table["result"] != "equal":
            return FAULT, table["why"]
    if refused:
        return "refused " + sorted(set(refused))[0], None
    if losses:
        order = list(reasons.LOSSES)
        return "losses " + ", ".join(sorted(set(losses), key=order.index)), None
    return None, None


def collect(results):
    """`{version: results}` as what there are files of, the outcomes that are not equal, and the faults."""
    present = collections.defaultdict(lambda: collections.defaultdict(set))
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    faults = []
    for version, result in results.items():
        for file, tables in result["files"].items():
            case, protocol = case_and_protocol(file)
            present[case][version].add(protocol)
            said, why = outcome(case, tables)
            if said == FAULT:
                faults.append((case, version, protocol, why))
            elif said:
                found[case][said].add((version, protocol))
    return present, found, faults


def lines(present, found, versions):
    """The text of exceptions.txt. Versions with the same protocols share a line."""
    written = []
    for case in sorted(found):
        for said in sorted(found[case]):
            by_protocols = collections.defaultdict(list)
            for version in versions:
                protocols = frozenset(protocol for other, protocol in found[case][said] if other == version)
                if protocols:
                    key = "all" if protocols == present[case][version] else ",".join(map(str, sorted(protocols)))
                    by_protocols[key].append(version)
            for protocols, among in sorted(by_protocols.items()):
                every = [version for version in versions if version in present[case]]
                said_versions = "all" if among == every else ",".join(among)
                written.append(f"{case} | {said_versions} | {protocols} | {said}")
    return written


def listed(text, present, versions):
    """exceptions.txt as `{case: {outcome: {(version, protocol)}}}`, of what this run has files of."""
    known = collections.defaultdict(lambda: collections.defaultdict(set))
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        case, among, protocols, said = (part.strip() for part in line.split("|"))
        for version in versions if among == "all" else among.split(","):
            there = present.get(case, {}).get(version, set())
            chosen = there if protocols == "all" else there & set(map(int, protocols.split(",")))
            known[case][said] |= {(version, protocol) for protocol in chosen}
    return known


def disagreements(found, known):
    """Sentences for outcomes that are not listed, and for lines that are not true."""
    said = []
    for case in sorted({*found, *known}):
        for text in sorted({*found.get(case, {}), *known.get(case, {})}):
            is_so, was_so = found.get(case, {}).get(text, set()), known.get(case, {}).get(text, set())
            if is_so - was_so:
                said.append(f"{case}: {text}: not listed, for {where(is_so - was_so)}")
            if was_so - is_so:
                said.append(f"{case}: {text}: listed and no longer so, for {where(was_so - is_so)}")
    return said


def where(places):
    some = ", ".join(f"pandas {version} protocol {protocol}" for version, protocol in sorted(places)[:3])
    return some + (f" and {len(places) - 3} more" if len(places) > 3 else "")
