"""The data set of the matrix: made here by pandas, converted by brine, and known row by row without asking brine."""

import contract
import numpy as np
import pandas as pd
from faults import oracles

DIMENSION = 384
ROWS = 12_000


def frame(rows, seed):
    """A `recruit` frame with missing values in it; the same for the same seed."""
    rng = np.random.default_rng(seed)
    level = rng.choice(["basic", "upper", "fluent", None], rows)
    return pd.DataFrame(
        {
            "id": [f"{seed:08x}-0000-5000-8000-{row:012x}" for row in range(rows)],
            "Company Name": pd.Categorical([f"company-{number}" for number in rng.integers(0, 500, rows)]),
            "Exp Years": rng.choice(["no_exp", "1y", "2y", "5y"], rows),
            "English Level": pd.Categorical(level),
            "Primary Keyword": pd.Categorical(rng.choice(["Rust", "Python", "Java"], rows)),
            "job_post_vectors": list(rng.standard_normal((rows, DIMENSION)).astype("f4")),
        }
    )


class Data:
    """One data set on disk, and the digests of the rows that it must give."""

    def __init__(self, brine, folder, rows=ROWS, seed=1, change=None):
        table = frame(rows, seed)
        if change is not None:
            table = change(table)
        self.rows = len(table)
        self.expected = oracles.digests_of_rows(contract.rows_of(table, "recruit", missing=None), "recruit")
        folder.mkdir(parents=True, exist_ok=True)
        pickle = folder / "recruit.pkl"
        table.to_pickle(pickle)
        contract.run([brine, "convert", pickle, "-o", folder, "--overwrite", "--json"])
        self.path = folder / "recruit"
