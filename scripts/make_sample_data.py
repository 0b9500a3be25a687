#!/usr/bin/env python3
"""Write pandas pickles of embeddings with the shape of the recruitment data set: three domains, invented rows.

    python scripts/make_sample_data.py OUTDIR                                  small samples of all three domains
    python scripts/make_sample_data.py OUTDIR --domain recruit --rows 141897   the full-size table

recruit              id, Company Name, Exp Years, English Level, Primary Keyword, job_post_vectors (384)
candidate            candidate_id, position_category, experience_years, original_resume, skills, vector (768)
skill_embedding_dic  skill, position_category, vector (768)

Nothing in the rows is real, but every awkward value of the real files is there: years of experience as text ("no_exp",
"10y"), job posts without an English level in the real proportion, company names in several scripts, candidates without
skills, resumes longer than a pickle frame. The same seed gives the same rows, and with the same pandas and Python the
same bytes. With --published the frames take the layout of the published system's own files: a dict with the frame under
`data_frame`, other column names, 1,536 dimensions, vectors as JSON text.

Needs pandas and numpy.
"""

import argparse
import hashlib
import json
import pathlib
import uuid

import numpy as np
import pandas as pd

# The published counts of the full table: 141,897 rows, of which 7,539 carry none of the five levels.
FULL_ROWS = 141_897
FULL_COMPANIES = 10_894
ENGLISH_LEVELS = {"upper": 66948, "intermediate": 54965, "fluent": 10583, "pre": 1689, "basic": 173, None: 7539}
EXPERIENCE = ("no_exp", "1y", "2y", "3y", "5y", "10y")
KEYWORDS = (
    "JavaScript", "Java", "DevOps", ".NET", "Python", "PHP", "QA", "Node.js", "iOS", "Android", "C++", "Golang", "Ruby",
    "Rust", "Scala", "SQL", "Unity", "Data Science", "Data Engineer", "Design", "Project Manager", "Product Manager",
    "Business Analyst", "Marketing", "Sales", "Support", "HR", "Lead", "Sysadmin", "Other",
)  # fmt: skip
AWKWARD_COMPANIES = (
    "MyCointainer",
    "Євробуд Груп",
    "Северное Сияние",
    "株式会社データ",
    "北京云计算有限公司",
    "주식회사 한빛",
    "Cafe\u0301 Nume\u0301rique",  # e followed by a combining acute accent: two code points, one letter
    "Café Numérique",  # the same to the eye, another string
    "Rocket 🚀 Labs",
    "Family 👩‍👩‍👧‍👦 & Co",
    "شركة البيانات",
    "O'Neill \"Quote\" & <Sons>\\n",
    " leading and trailing ",
    "ß",
)
COMPANY_HEADS = ("Soft", "Data", "Cloud", "Nova", "Євро", "Blue", "Quant", "Hyper", "Inter", "Green", "Logi", "Open")
COMPANY_TAILS = ("Serve", "Works", "Lab", "Systems", "Group", "Tech", "Studio", "Bank", "Media", "Україна", "Soft")
SKILLS = (
    "C++", "C#", "C", ".NET", "Node.js", "SQL", "PL/SQL", "Python", "Java", "Kafka", "Spring", "gRPC", "Rust", "Go", "R",
    "Objective-C", "ASP.NET", "CI/CD", "A/B testing", "англійська мова", "язык Си", "日本語", "数据分析", "한국어", "naïve Bayes",
    "λ-calculus", "🤖 automation", "Excel", "HTML5", "T-SQL", "F#",
)  # fmt: skip
WORDS = (
    "led", "built", "shipped", "a", "team", "of", "seven", "service", "платформу", "для", "with", "Kafka", "Spring", "in",
    "production", "reduced", "latency", "by", "40%", "designed", "schema", "migration", "über", "C++", "and", "модуль",
    "設計", "tests,", "reviews;", "«гнучка»", "roadmap\n-", "1,000", "users", "on-call", "🚀", "\"quoted\"", "tab\there",
)  # fmt: skip
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "brine.sample")
DOMAINS = ("recruit", "candidate", "skill_embedding_dic")
SAMPLE_ROWS = {"recruit": 700, "candidate": 280, "skill_embedding_dic": 140}
SAMPLE_VECTORS = {"recruit": "list", "candidate": "f32", "skill_embedding_dic": "f64"}
DIMENSIONS = {"recruit": 384, "candidate": 768, "skill_embedding_dic": 768}
PUBLISHED_DIMENSION = 1536
SUFFIXES = {"none": "", "gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst", "zip": ".zip", "tar": ".tar"}


def generator(seed, domain):
    """One random stream for each domain, so that asking for one of them gives the rows it has among all."""
    return np.random.default_rng([seed, DOMAINS.index(domain)])


def objects(values):
    """A one-dimensional object array, also where the values have a length of their own."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def identifiers(seed, domain, rows):
    return objects([str(uuid.uuid5(NAMESPACE, f"{domain}/{seed}/{i}")) for i in range(rows)])


def in_proportion(rng, counts, rows):
    """Values in the proportion of their counts, exact to the row, each at least once where there is room; shuffled."""
    total = sum(counts.values())
    exact = [rows * count / total for count in counts.values()]
    shares = [int(x) for x in exact]
    if rows >= 10 * len(shares):
        shares = [max(1, share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: shares[i] - exact[i])
    for i in range(rows - sum(shares)):
        shares[by_remainder[i % len(shares)]] += 1
    shares[shares.index(max(shares))] -= max(0, sum(shares) - rows)
    return rng.permutation(np.repeat(objects(list(counts)), shares))


def companies(rng, rows):
    """A few awkward names and many plain ones; some companies post often. The strings are shared objects."""
    count = min(rows, max(len(AWKWARD_COMPANIES), rows * FULL_COMPANIES // FULL_ROWS))
    plain = [
        f"{COMPANY_HEADS[i % len(COMPANY_HEADS)]}{COMPANY_TAILS[i // len(COMPANY_HEADS) % len(COMPANY_TAILS)]}"
        + (f" {i // 132}" if i >= 132 else "")
        for i in range(count)
    ]
    names = objects((list(AWKWARD_COMPANIES) + plain)[:count])
    again = (count * rng.random(rows - count) ** 2).astype(np.int64)
    return names[np.concatenate([np.arange(count), again])]


def unit_vectors(rng, labels, dimension):
    """Unit vectors gathered round one centre for each label, as embeddings of texts are."""
    centres = rng.standard_normal((len(KEYWORDS), dimension), dtype=np.float32)
    vectors = rng.standard_normal((len(labels), dimension), dtype=np.float32)
    vectors *= np.float32(1.5)
    vectors += centres[labels]
    vectors /= np.sqrt(np.add.reduce(vectors * vectors, axis=1, keepdims=True))
    return vectors


def cells(vectors, kind):
    """The vectors as cells of an object column. f64 are doubles that no float32 holds, the others float32 values."""
    if kind == "list":
        return objects([row.tolist() for row in vectors])
    if kind == "f64":
        wide = vectors.astype(np.float64) * (1.0 + 2.0**-40)
        return objects([row.copy() for row in wide])
    if kind == "json":
        return objects([json.dumps([round(x, 9) for x in row.tolist()]) for row in vectors])
    return objects([row.copy() for row in vectors])


def skill_lists(rng, rows, least):
    """Lists of skills, shared strings; every ninth list is empty where that is allowed."""
    counts = rng.integers(max(least, 1), 12, rows)
    if least == 0:
        counts[4::9] = 0
    pool = list(SKILLS) + [f"{a} {b}" for a in KEYWORDS for b in ("basics", "testing", "tooling")]
    picks = rng.integers(0, len(pool), int(counts.sum()))
    ends = np.cumsum(counts)
    return objects([[pool[j] for j in picks[end - n : end]] for n, end in zip(counts, ends)])


def resumes(rng, rows):
    """Texts of some ten to some thousand words; one in 97 is long, one longer than a pickle frame, one is empty."""
    text = objects(list(WORDS))[rng.integers(0, len(WORDS), 40_000)].tolist()
    lengths = np.clip(rng.lognormal(4.4, 0.7, rows), 10, 1500).astype(np.int64)
    lengths[5::97] = rng.integers(2_000, 6_000, len(lengths[5::97]))
    lengths[7:8] = 0
    lengths[40:41] = 12_000
    starts = rng.integers(0, len(text) - lengths)
    return objects([" ".join(text[s : s + n]) for s, n in zip(starts, lengths)])


def category_labels(rng, rows):
    return rng.integers(0, len(KEYWORDS), rows)


def recruit(rows, vectors, seed=7, dimension=None):
    rng = generator(seed, "recruit")
    labels = category_labels(rng, rows)
    return pd.DataFrame({
        "id": identifiers(seed, "recruit", rows),
        "Company Name": companies(rng, rows),
        "Exp Years": objects(list(EXPERIENCE))[rng.integers(0, len(EXPERIENCE), rows)],
        "English Level": in_proportion(rng, ENGLISH_LEVELS, rows),
        "Primary Keyword": objects(list(KEYWORDS))[labels],
        "job_post_vectors": cells(unit_vectors(rng, labels, dimension or DIMENSIONS["recruit"]), vectors),
    })


def candidate(rows, vectors, seed=7, dimension=None):
    rng = generator(seed, "candidate")
    labels = category_labels(rng, rows)
    return pd.DataFrame({
        "candidate_id": identifiers(seed, "candidate", rows),
        "position_category": objects(list(KEYWORDS))[labels],
        "experience_years": rng.integers(0, 31, rows),
        "original_resume": resumes(rng, rows),
        "skills": skill_lists(rng, rows, least=0),
        "vector": cells(unit_vectors(rng, labels, dimension or DIMENSIONS["candidate"]), vectors),
    })


def skill_embedding_dic(rows, vectors, seed=7, dimension=None):
    rng = generator(seed, "skill_embedding_dic")
    labels = category_labels(rng, rows)
    names = (list(SKILLS) + [f"{KEYWORDS[i % len(KEYWORDS)]} skill {i}" for i in range(rows)])[:rows]
    return pd.DataFrame({
        "skill": objects(names),
        "position_category": objects(list(KEYWORDS))[labels],
        "vector": cells(unit_vectors(rng, labels, dimension or DIMENSIONS["skill_embedding_dic"]), vectors),
    })


def published_recruit(rows, seed=7, dimension=PUBLISHED_DIMENSION):
    rng = generator(seed, "recruit")
    labels = category_labels(rng, rows)
    keywords = objects(list(KEYWORDS))[labels]
    return pd.DataFrame({
        "id": identifiers(seed, "recruit", rows),
        "Position": objects([f"Senior {keyword} developer" for keyword in keywords]),
        "Company Name": companies(rng, rows),
        "Exp Years": objects(list(EXPERIENCE))[rng.integers(0, len(EXPERIENCE), rows)],
        "Primary Keyword": keywords,
        "English Level": in_proportion(rng, ENGLISH_LEVELS, rows),
        "Published": objects([f"2021-{1 + i % 12:02}-{1 + i % 28:02} 10:00:00+02:00" for i in range(rows)]),
        "skills": skill_lists(rng, rows, least=1),
        "Long Description": resumes(rng, rows),
        "Long Description_lang": objects(["en", "uk"])[rng.integers(0, 2, rows)],
        "skills_vector": cells(unit_vectors(rng, labels, dimension), "json"),
        "__index_level_0__": np.arange(rows) * 3,
    })


def published_candidate(rows, seed=7, dimension=PUBLISHED_DIMENSION):
    rng = generator(seed, "candidate")
    labels = category_labels(rng, rows)
    categories = objects(list(KEYWORDS))[labels]
    categories[3::17] = None
    return pd.DataFrame({
        "id": identifiers(seed, "candidate", rows),
        "Primary Keyword": categories,
        "Experience Years": rng.integers(0, 60, rows) / 2 + 0.1,
        "CV": resumes(rng, rows),
        "CV_lang": objects(["en", "uk"])[rng.integers(0, 2, rows)],
        "Moreinfo": objects([None, "Open to relocation", ""])[rng.integers(0, 3, rows)],
        "Looking For": objects(["Remote only", "Будь-який проєкт", None])[rng.integers(0, 3, rows)],
        "skills": skill_lists(rng, rows, least=1),
        "skills_vector": cells(unit_vectors(rng, labels, dimension), "json"),
    })


def published_skill_embedding_dic(rows, seed=7, dimension=PUBLISHED_DIMENSION):
    frame = skill_embedding_dic(rows, "json", seed, dimension)
    frame.columns = ["name", "category", "skill_set_openai_vector"]
    frame["synonyms"] = skill_lists(generator(seed, "skill_embedding_dic"), rows, least=0)
    return frame


def table(domain, rows, vectors, seed, published):
    """What goes into the file of one domain: the frame itself, or the published system's dict around it."""
    if published:
        frame = globals()[f"published_{domain}"](rows, seed)
        return {"data_frame": frame, "row_count": rows}
    return globals()[domain](rows, vectors, seed)


def write(value, path, protocol, compression):
    """As `to_pickle` does, with nothing of the hour in the file; the text of the digest and size is returned."""
    options = {"method": None if compression == "none" else compression}
    if compression == "gzip":
        options["mtime"] = 1
    pd.to_pickle(value, path, protocol=protocol, compression=options)
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outdir", type=pathlib.Path)
    parser.add_argument("--rows", type=int, help="rows of each table (default: the sample's, 700, 280 and 140)")
    parser.add_argument("--domain", choices=[*DOMAINS, "all"], default="all")
    parser.add_argument("--vectors", choices=["list", "f32", "f64"],
                        help="cells of the vector column: lists of Python floats, float32 or float64 arrays "
                             "(default: the sample's, list, f32 and f64)")  # fmt: skip
    parser.add_argument("--protocol", type=int, choices=range(2, 6), default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--published", action="store_true", help="the published system's layout (vectors are JSON text)")
    parser.add_argument("--compression", choices=SUFFIXES, default="none")
    parser.add_argument("--name", help="file name without suffix (default: the domain; with one --domain only)")
    args = parser.parse_args()
    if args.name and args.domain == "all":
        parser.error("--name needs one --domain")
    if args.rows is not None and args.rows < 1:
        parser.error("--rows must be at least 1")
    return args


def main():
    args = arguments()
    args.outdir.mkdir(parents=True, exist_ok=True)
    for domain in DOMAINS if args.domain == "all" else [args.domain]:
        rows = args.rows or SAMPLE_ROWS[domain]
        value = table(domain, rows, args.vectors or SAMPLE_VECTORS[domain], args.seed, args.published)
        path = args.outdir / f"{args.name or domain}.pkl{SUFFIXES[args.compression]}"
        written = write(value, path, args.protocol, args.compression)
        print(json.dumps({"file": str(path), "domain": domain, "rows": rows, **written}))


if __name__ == "__main__":
    main()
