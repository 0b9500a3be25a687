//! What can be wrong with a NumPy object in a pickle.

/// A fault in a dtype, an array or a scalar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The node is something else.
    #[error("{wanted} is expected, {found} is there")]
    WrongType {
        /// What the place calls for.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A dtype that has no meaning here.
    #[error("dtype {0:?} is not one that this reader knows")]
    UnknownDtype(String),
    /// Floats of more than 64 bits.
    #[error(
        "dtype {0:?} is a long double, which has no Arrow type: convert it with .astype('float64') before pickling"
    )]
    LongDouble(String),
    /// Bytes without a meaning.
    #[error(
        "dtype {0:?} is raw memory without fields, which means nothing outside the program that wrote it"
    )]
    Void(String),
    /// A bound was met.
    #[error(transparent)]
    Limit(#[from] crate::limits::Exceeded),
    /// The arguments or the state of the object are not of the known form.
    #[error("the {0} has arguments of an unknown form")]
    UnknownForm(&'static str),
    /// Shape times item size does not give the length of the data.
    #[error("an array of shape {shape:?} and {itemsize} bytes an item has {found} bytes of data")]
    WrongLength {
        /// The shape.
        shape: Vec<usize>,
        /// Bytes of one item.
        itemsize: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// Shape does not give the number of items.
    #[error("an array of shape {shape:?} has {found} items")]
    WrongCount {
        /// The shape.
        shape: Vec<usize>,
        /// Items that are there.
        found: usize,
    },
    /// A `.npy` file without what it must have.
    #[error("no .npy file that can be read: it needs {0}")]
    Npy(&'static str),
    /// More dimensions than NumPy has, or sizes below zero.
    #[error("the shape of an array is impossible")]
    ImpossibleShape,
}

/// The result of reading a NumPy object.
pub type Result<T, E = Error> = std::result::Result<T, E>;
