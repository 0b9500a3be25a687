//! NumPy dtypes, arrays and scalars out of the pickle graph.
