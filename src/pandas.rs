//! pandas frames out of the pickle graph, still borrowing.
